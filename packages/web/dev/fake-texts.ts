/** Texts the fake server serves: a workflow, a policy, pictures and a report. */

export const workflowText = `version: 1
name: brand-audit
description: Looks at every brand asset, measures it, writes a report with a chart, and clears out what is stale.
inputs:
  folder:     { type: string, default: assets, description: Where the brand assets are. }
  stale_days: { type: integer, default: 365, min: 1, description: Older files count as stale. }
  formats:    { type: list, default: [png, svg, webp], description: What is looked at. }
  depth:      { type: string, enum: [quick, full], default: full }
  dry_run:    { type: boolean, default: false, description: Report only, delete nothing. }
outputs:
  summary: \${{ steps.summary.output }}
steps:
  - id: inventory
    title: Look at every file
    tool: file_ops.list
    with: { path: "\${{ inputs.folder }}", recursive: true }
  - id: measure
    title: Measure colours and sizes
    tool: code_exec.run
    with:
      language: python
      source: |
        import json, pathlib, struct
        for path in sorted(pathlib.Path("assets").rglob("*.png")):
            head = path.read_bytes()[:24]
            width, height = struct.unpack(">II", head[16:24])
            print(json.dumps({"path": str(path), "width": width, "height": height}))
    timeout: 30s
    retry: { attempts: 3, delay: 1s, backoff: 2 }
  - id: groups
    title: Go through the groups
    for_each: \${{ steps.measure.output.groups }}
    as: group
    steps:
      - id: check
        title: Check against the guide
        tool: file_ops.read
        with: { path: "guide/\${{ group.name }}.json" }
      - id: score
        set: { ok: "\${{ steps.check.output.rules }}" }
  - id: report
    title: Write the report
    tool: file_ops.write
    with: { path: report.md, content: "\${{ steps.groups.output }}" }
  - id: chart
    title: Draw the chart
    tool: code_exec.run
    with: { language: javascript, source: "draw()" }
  - id: clear
    title: Clear out stale files
    branch:
      - when: \${{ inputs.dry_run }}
        steps:
          - id: note
            set: { deleted: 0 }
      - else:
          - id: delete
            title: Delete the stale files
            tool: file_ops.delete
            with: { paths: "\${{ steps.measure.output.stale }}" }
  - id: summary
    title: Sum it up
    set: { files: "\${{ length(steps.inventory.output.files) }}" }
`;

export const policyText = `# What agents may do here. What no rule allows is denied; of several matching rules the strictest wins.
version: 1

rules:
  - name: read-workspace
    description: Reading and listing inside the workspace is always fine.
    effect: allow
    actions: [file_ops.read, file_ops.list]
    resources: ["workspace/**"]

  - name: write-workspace
    description: Writing inside the workspace; every change is in the journal.
    effect: allow
    actions: [file_ops.write, file_ops.move, artifact.register]
    resources: ["workspace/**"]

  - name: sandboxed-code
    description: Programs run, but only with real isolation and for at most a minute.
    effect: allow
    actions: [code_exec.run]
    sandbox: standard
    timeout: 60s

  # Nothing is deleted without a person.
  - name: deletes-ask
    effect: ask
    actions: [file_ops.delete]
    approval: { by: [approver, admin], expires: 1h }

  - name: web-from-untrusted
    description: Once a run has read from the web, it may not send anything out.
    effect: deny
    actions: ["http.*"]
    when: \${{ "web" in labels }}

  - name: known-hosts
    effect: allow
    actions: [http.request]
    resources: ["https://api.example.org:443/**"]
`;

export const measureSource = workflowText.slice(
  workflowText.indexOf("        import json"),
  workflowText.indexOf("    timeout: 30s"),
);

export const reportText = `# Brand audit

47 files in 4 groups. 3 are stale, 2 use a colour outside of the guide.

| group    | files | off guide | stale |
|----------|------:|----------:|------:|
| logos    |    12 |         0 |     2 |
| icons    |    21 |         1 |     0 |
| banners  |     8 |         1 |     1 |
| photos   |     6 |         0 |     0 |
`;

const bars = [12, 21, 8, 6]
  .map((count, index) => {
    const height = count * 7;
    return `<rect x="${50 + index * 80}" y="${180 - height}" width="46" height="${height}" rx="3" fill="#0f766e"/><text x="${73 + index * 80}" y="200" font-family="sans-serif" font-size="13" text-anchor="middle" fill="#33474b">${["logos", "icons", "banners", "photos"][index]}</text>`;
  })
  .join("");

export const chartSvg = `<svg xmlns="http://www.w3.org/2000/svg" width="380" height="220" viewBox="0 0 380 220"><text x="24" y="26" font-family="sans-serif" font-size="15" font-weight="600" fill="#1b2a2d">Files by group</text><path d="M30 180H360" stroke="#9fb0b3"/>${bars}</svg>`;

export const logoSvg = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="120" viewBox="0 0 200 120"><circle cx="62" cy="60" r="34" fill="none" stroke="#0f766e" stroke-width="10"/><path d="M62 26v68" stroke="#d97706" stroke-width="10"/><text x="112" y="70" font-family="sans-serif" font-size="30" font-weight="700" fill="#1b2a2d">Nord</text></svg>`;
