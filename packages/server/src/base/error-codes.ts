/** The one table of error codes: HTTP status and the hint that tells the user what to do. */

export interface ErrorRow {
  readonly status: number;
  readonly hint: string;
}

/** Codes start with the feature's noun; rows stay in alphabetical order. docs/reference/errors.md is made from it. */
export const errorCodes = {
  ACTION_DENIED: {
    status: 403,
    hint: "Read the matched rules with `homeostat show RUN`, or change policy.yaml.",
  },
  ACTION_FAILED: {
    status: 500,
    hint: "Read the step's error in `homeostat show RUN`; the log holds the details.",
  },
  ACTION_INVALID: {
    status: 422,
    hint: "Correct the arguments; /v1/tools holds every tool's schema.",
  },
  ACTION_THROTTLED: { status: 429, hint: "Wait, or raise the rate in policy.yaml." },
  ACTION_TIMEOUT: { status: 504, hint: "Raise the step's `timeout`, or look at why the tool was slow." },
  ACTION_UNKNOWN: { status: 422, hint: "/v1/tools lists the tools this server has." },
  API_KEY_CONFLICT: {
    status: 409,
    hint: "Revoke the one there is with `homeostat key revoke`, or choose another name.",
  },
  API_KEY_NOT_FOUND: { status: 404, hint: "List the keys with `homeostat key list`." },
  APPROVAL_CONFLICT: {
    status: 409,
    hint: "The first answer counts; look at it with `homeostat approvals --all`.",
  },
  APPROVAL_EXPIRED: {
    status: 409,
    hint: "Run the task again and answer in time; policy's `expires` sets how long there is.",
  },
  APPROVAL_LINK_INVALID: {
    status: 410,
    hint: "Answer it on the approvals page of the dashboard, or ask for another link.",
  },
  APPROVAL_NEEDED: {
    status: 409,
    hint: "Answer it with `homeostat approve ID` or `homeostat reject ID --reason`.",
  },
  APPROVAL_NOT_FOUND: { status: 404, hint: "List the waiting approvals with `homeostat approvals`." },
  APPROVAL_REJECTED: { status: 409, hint: "A person said no; the reason stands in `homeostat show RUN`." },
  ARTIFACT_NOT_FOUND: { status: 404, hint: "List a run's artifacts with `homeostat show RUN`." },
  AUTHENTICATION_LIMITED: {
    status: 429,
    hint: "Too many wrong tokens came from this address; wait a minute and use the right one.",
  },
  AUTHENTICATION_REQUIRED: {
    status: 401,
    hint: "Send `Authorization: Bearer TOKEN`; the token is in the file `token` of the data folder.",
  },
  AUTHORIZATION_DENIED: { status: 403, hint: "Use a token whose role may do this." },
  BACKUP_INVALID: {
    status: 422,
    hint: "Take another backup, or copy this one again; `homeostat backup verify FOLDER` names what is wrong.",
  },
  BACKUP_PASSPHRASE: {
    status: 422,
    hint: "Give the backup's passphrase with --passphrase-file or HOMEOSTAT_BACKUP_PASSPHRASE, or leave keys out with --without-keys.",
  },
  BACKUP_TARGET: { status: 409, hint: "Name a folder that this user may write and that has the space." },
  BLOB_CORRUPT: { status: 500, hint: "Run `homeostat verify`; restore the blob from a backup." },
  BLOB_ERASED: { status: 410, hint: "The body was deleted on purpose; its digest still proves what it was." },
  BLOB_KEYS_UNUSABLE: { status: 500, hint: "Restore keys/blob-master.key from the backup (mode 0600)." },
  BLOB_NOT_FOUND: { status: 404, hint: "Run `homeostat verify`; restore the blob from a backup." },
  BLOB_STORE_UNAVAILABLE: {
    status: 503,
    hint: "Look at `homeostat doctor` for the state of the bucket; runs go on once it answers again.",
  },
  CIRCUIT_OPEN: {
    status: 503,
    hint: "The target failed several times in a row; it is tried again by itself.",
  },
  CODE_FAILED: {
    status: 422,
    hint: "Read the program's error output in the run's step; correct the program or its limits.",
  },
  COMPENSATION_FAILED: {
    status: 500,
    hint: "A person gave the undoing of a step up; look at what it left behind with `homeostat show RUN`.",
  },
  CONFIG_INVALID: { status: 400, hint: "Correct the named key; `homeostat config print` shows every key." },
  DATA_FOLDER_UNUSABLE: { status: 500, hint: "Give HOMEOSTAT_HOME a folder that this user may write." },
  EXPRESSION_INVALID: { status: 422, hint: "See docs/workflows.md for the expression language." },
  FILE_CHANGED: {
    status: 409,
    hint: "The file is not what was judged; run the step again so that it is judged anew.",
  },
  FILE_EXISTS: { status: 409, hint: "Choose another target, or delete the existing file first." },
  FILE_INVALID: { status: 422, hint: "Read it with `encoding: base64`, or correct the file." },
  FILE_NOT_FOUND: { status: 404, hint: "Look at what is there with `file_ops.list`." },
  FILE_TOO_LARGE: {
    status: 413,
    hint: "Read a part of it with `offset` and `length`, or raise the step's limit.",
  },
  FILE_UNAVAILABLE: { status: 500, hint: "Look at permissions and free space of the named folder." },
  GUARD_FAILED: { status: 500, hint: "A guard broke, so the action was denied; the log holds the details." },
  HOOK_CONFLICT: {
    status: 409,
    hint: "Give the webhook another name; each stands for one workflow.",
  },
  HOOK_DENIED: {
    status: 401,
    hint: "Check the webhook's name and secret, and the sender's clock; see docs/workflows.md, Triggers.",
  },
  HTTP_FAILED: { status: 502, hint: "Look at the address and at whether the other side is up." },
  HTTP_TOO_LARGE: { status: 413, hint: "Raise `maxBytes` of the step, or ask for less." },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    hint: "One Idempotency-Key stands for one request; use a new key for a different one.",
  },
  INPUTS_INVALID: {
    status: 422,
    hint: "Correct the named inputs; the workflow declares them under `inputs`.",
  },
  INTERNAL: {
    status: 500,
    hint: "This is a fault in Homeostat; the log holds the details under the request id.",
  },
  LEASE_LOST: { status: 409, hint: "Another worker took over; nothing needs to be done." },
  LEDGER_BROKEN: {
    status: 503,
    hint: "New actions are refused. Run `homeostat verify` to see what changed; restore ledger/ and state.db together.",
  },
  LEDGER_BUSY: {
    status: 503,
    hint: "The ledger's queue is full; try again shortly, or look at the disk's speed.",
  },
  LEDGER_ENTRY_INVALID: {
    status: 422,
    hint: "Correct the entry; bodies belong in a blob, not in the ledger.",
  },
  LEDGER_KEYS_UNUSABLE: { status: 500, hint: "Restore the named file of keys/ from the backup (mode 0600)." },
  LEDGER_RANGE_INVALID: {
    status: 404,
    hint: "`GET /v1/ledger` tells the size; indexes run from 0 to size - 1.",
  },
  LEDGER_UNAVAILABLE: {
    status: 503,
    hint: "Look at `homeostat doctor` for the state of the ledger and its disk.",
  },
  MAILBOX_FULL: {
    status: 503,
    hint: "Messages come faster than they are dealt with; try again shortly. `homeostat parts` shows its length.",
  },
  NODE_TOO_OLD: { status: 500, hint: "Install Node.js 24 or run through npm, which uses the pinned one." },
  NOT_FOUND: { status: 404, hint: "Check the address; /v1/openapi.json lists every route." },
  OUTCOME_ABANDONED: { status: 409, hint: "A person gave the step up after its outcome was lost." },
  OUTPUT_INVALID: { status: 422, hint: "Let the tool answer less, for example by writing to a file." },
  PART_FAILED: {
    status: 500,
    hint: "The log names what the part failed of; `homeostat parts` and `homeostat doctor` show how all of them are.",
  },
  PERMIT_INVALID: { status: 500, hint: "Actions run only through the gate; this is a fault in Homeostat." },
  POLICY_CONFLICT: {
    status: 412,
    hint: "Read the policy in force again, put your change into it, and activate that.",
  },
  POLICY_INVALID: { status: 422, hint: "Correct the named lines; see docs/policy.md for the format." },
  POLICY_NOT_FOUND: { status: 404, hint: "`homeostat policy versions` lists what was in force." },
  PORT_TAKEN: { status: 500, hint: "Stop the other program or choose another port with --port." },
  REQUEST_CONFLICT: { status: 409, hint: "The same request is still being answered; try again shortly." },
  REQUEST_FORBIDDEN: { status: 403, hint: "Call the server by its own address; see docs/security.md." },
  REQUEST_HOSTILE: {
    status: 400,
    hint: "The request holds a pattern only attacks use (named in the detail); send it without.",
  },
  REQUEST_INVALID: { status: 422, hint: "Correct the named fields; /v1/openapi.json holds the schema." },
  REQUEST_MALFORMED: { status: 400, hint: "Send valid JSON in UTF-8 and well-formed addresses and headers." },
  REQUEST_METHOD_NOT_ALLOWED: {
    status: 405,
    hint: "The Allow header names the methods of this address; /v1/openapi.json lists every route.",
  },
  REQUEST_TOO_LARGE: { status: 413, hint: "Send less, or raise http.bodyLimitBytes in homeostat.yaml." },
  REQUEST_UNSUPPORTED: { status: 415, hint: "Send the body as application/json without Content-Encoding." },
  RUN_CANCELLED: { status: 409, hint: "Submit the task again if it was cancelled by mistake." },
  RUN_NOT_FOUND: { status: 404, hint: "List runs with `homeostat ps --all`." },
  RUN_REPEATS_EFFECTS: {
    status: 409,
    hint: "Look at what would be done again; then say so with `confirm: true`, on the command line with --yes.",
  },
  RUN_STATE_CONFLICT: { status: 409, hint: "Look at the run's state with `homeostat show RUN`." },
  RUN_STUCK: {
    status: 500,
    hint: "Remove the cause, then `homeostat dead retry RUN`; the log of that time names what went wrong.",
  },
  RUN_TOO_LONG: {
    status: 422,
    hint: "Look for a loop that goes on for ever; split long work into child runs (`workflow` steps), or raise `runs.maxEvents`.",
  },
  RUN_VERSION_UNKNOWN: { status: 500, hint: "A newer Homeostat wrote this journal; run that version." },
  SANDBOX_BUSY: { status: 503, hint: "Too many programs wait already; try again shortly." },
  SANDBOX_FAILED: {
    status: 500,
    hint: "Run `homeostat doctor`; it measures what the sandbox of this host holds.",
  },
  SANDBOX_REQUEST_INVALID: { status: 422, hint: "Correct the named limit or value." },
  SANDBOX_UNAVAILABLE: {
    status: 503,
    hint: "Run `homeostat doctor`; it names the command that raises the level.",
  },
  SCHEDULE_CONFLICT: {
    status: 409,
    hint: "Choose another name; `homeostat schedule list` shows those there are.",
  },
  SCHEDULE_INVALID: {
    status: 422,
    hint: "Correct the cron expression (minute hour day month weekday), the time zone or the interval.",
  },
  SCHEDULE_NOT_FOUND: { status: 404, hint: "List the schedules with `homeostat schedule list`." },
  SECRETS_KEY_UNUSABLE: {
    status: 500,
    hint: "Restore keys/secrets.* from the backup, or give the passphrase or Vault key the secrets were sealed with.",
  },
  SECRET_CONFLICT: { status: 409, hint: "Look at it with `homeostat secret list` and try again." },
  SECRET_DENIED: {
    status: 403,
    hint: 'An admin grants more with `homeostat secret set NAME --for "ACTION RESOURCE"`.',
  },
  SECRET_EXPOSED: {
    status: 403,
    hint: "Use the handle secret://NAME instead of the value, and rotate the secret: its value is known where it should not be.",
  },
  SECRET_INVALID: { status: 422, hint: "Correct the secret as the message says." },
  SECRET_NOT_FOUND: { status: 404, hint: "`homeostat secret list` shows what there is." },
  SERVER_BUSY: {
    status: 503,
    hint: "Too many live streams are open; close some or raise http.maxStreams in homeostat.yaml.",
  },
  SERVER_STOPPING: { status: 503, hint: "The server is shutting down; try again when it is back." },
  SERVER_UNREACHABLE: {
    status: 503,
    hint: "Start it with `homeostat up`, or name the right address with --url.",
  },
  SIGNAL_INVALID: {
    status: 422,
    hint: "Correct the data; the workflow declares it under the step's `wait.payload`.",
  },
  SIGNAL_TIMEOUT: {
    status: 504,
    hint: "Send the signal in time, raise the step's `timeout`, or say `on_timeout: skip`.",
  },
  SIGNAL_UNKNOWN: {
    status: 404,
    hint: "The workflow names its signals under `wait.signal`; see `homeostat show RUN`.",
  },
  STEP_TIMEOUT: {
    status: 504,
    hint: "Raise the `timeout` of the step or of the workflow, or look at what took so long.",
  },
  STORE_CONFLICT: { status: 409, hint: "The record changed meanwhile; read it again and retry." },
  STORE_IN_USE: {
    status: 409,
    hint: "Stop every server and worker on this database, or wait until the move has ended, and try again.",
  },
  STORE_MOVED: {
    status: 503,
    hint: "Set databaseUrl to where it was moved (a SQLite file: put it in the place of this one); `homeostat store reopen` goes back while nothing was written there.",
  },
  STORE_MOVE_FAILED: {
    status: 500,
    hint: "The source is as it was. Stop everything that uses it, run `homeostat verify`, and move again.",
  },
  STORE_MOVE_UNFINISHED: {
    status: 503,
    hint: "Run `homeostat store migrate` once more; it begins anew. The source is still whole.",
  },
  STORE_TARGET_NOT_EMPTY: {
    status: 409,
    hint: "Name an empty database, or a schema of its own with ?options=-c%20search_path%3Dhomeostat.",
  },
  STORE_UNAVAILABLE: { status: 503, hint: "Look at `homeostat doctor` for the state of the database." },
  TIMEOUT: {
    status: 504,
    hint: "Give it more time, or look at what it waits for with `homeostat show RUN`.",
  },
  TOKEN_UNSAFE: {
    status: 500,
    hint: "Run `chmod 600` on the token file, or delete it and start again to get a new one.",
  },
  USAGE: { status: 400, hint: "See `homeostat help`." },
  VAULT_FAILED: {
    status: 502,
    hint: "Check the settings `secrets.vault.*`, the token's policy and that Vault is unsealed.",
  },
  WORKFLOW_CONFLICT: {
    status: 409,
    hint: "Somebody changed it at the same moment; try again.",
  },
  WORKFLOW_INVALID: { status: 422, hint: "Correct the named lines; see docs/workflows.md for the format." },
  WORKFLOW_NOT_FOUND: {
    status: 404,
    hint: "List the registered workflows with `homeostat workflow list`.",
  },
  WORKFLOW_OUTPUT_INVALID: {
    status: 422,
    hint: "The value does not have the type that the workflow's `outputs` promise; correct one of them.",
  },
  WORKFLOW_TOO_DEEP: {
    status: 422,
    hint: "A workflow may run others 8 deep; look for one that runs itself.",
  },
  WORKSPACE_UNUSABLE: {
    status: 500,
    hint: "See that the data folder can be written and has space, then `homeostat retry RUN`.",
  },
} as const;

export type ErrorCode = keyof typeof errorCodes;
