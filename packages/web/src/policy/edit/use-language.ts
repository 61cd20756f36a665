/** The policy's language as the server speaks it: schema, tools, roles; for completion and help in the editor. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Tool } from "../../api/policy-calls.ts";
import type { Suggestions } from "../../code-view/suggestion-list.tsx";
import { completionsAt, helpFor, type Language, type Schema } from "../language/schema-words.ts";
import { keyAt, placeAt } from "../language/yaml-place.ts";
import { schemaQuery, toolsQuery } from "../policy-queries.ts";

export interface EditorHelp {
  readonly suggest: (text: string, offset: number) => Suggestions | undefined;
  readonly explain: (text: string, offset: number) => string | undefined;
}

export const roles: readonly string[] = ["viewer", "operator", "approver", "admin"];

/** Without schema the editor works and offers nothing. */
export function useEditorHelp(): EditorHelp {
  const schema = useQuery(schemaQuery).data;
  const tools = useQuery(toolsQuery).data;
  return useMemo(() => {
    const language: Language = {
      schema: (schema ?? {}) as Schema,
      tools: (tools ?? []).map((tool) => ({
        name: tool.name,
        description: tool.description,
        args: argumentsOf(tool),
      })),
      roles,
    };
    return {
      suggest: (text, offset) => {
        const place = placeAt(text, offset);
        return place && { from: place.from, items: completionsAt(language, place) };
      },
      explain: (text, offset) => {
        const path = keyAt(text, offset) ?? keyOfValue(text, offset);
        return path && helpFor(language, path);
      },
    };
  }, [schema, tools]);
}

/** The path of the key whose value the offset is in. */
function keyOfValue(text: string, offset: number): readonly string[] | undefined {
  const place = placeAt(text, offset);
  if (place?.kind !== "value") return undefined;
  return place.path.slice(0, place.path.findLastIndex((segment) => segment !== "[]") + 1);
}

export function argumentsOf({ schema }: Pick<Tool, "schema">): readonly string[] {
  const properties: unknown = schema["properties"];
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}
