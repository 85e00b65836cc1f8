/** What is wrong with an entry of the config, in a sentence: where, what was found, what is allowed. Touches nothing. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Entries that hold secrets: what was written there is never shown, not even when it is wrong. */
const SECRET_ENTRIES = new Set(['password', 'payloadKey', 'env', 'file']);

/** One sentence an issue, in the order of the file. */
export function explainIssues(
  issues: readonly Issue[],
  input: unknown,
  lineOf: (path: readonly PropertyKey[]) => number | undefined,
): readonly string[] {
  return issues
    .map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
      return { line: lineOf(path), text: `${pathText(path)}: ${explain(issue, input)}` };
    })
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text }) => (line === undefined ? text : `line ${line}, ${text}`));
}

function explain(issue: Issue, input: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.length === 1 ? 'there is no such entry' : `there are no such entries: ${issue.keys.join(', ')}`;
  }
  const value = valueAt(input, issue.path);
  const found = issue.path.some((it) => SECRET_ENTRIES.has(String(it))) ? kindOf(value) : shown(value);
  if (value === undefined && issue.code !== 'custom') return `it is missing; wanted ${wanted(issue)}`;
  return `found ${found}; wanted ${wanted(issue)}`;
}

function wanted(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map(String).join(' or ');
    case 'invalid_type':
      // The schema's own words where it has some; zod's default ones say less than the kind's name.
      if (!issue.message.startsWith('Invalid input')) return issue.message;
      return (
        { string: 'a text', int: 'a whole number', number: 'a number', object: 'a group of entries', array: 'a list' }[
          issue.expected as string
        ] ?? String(issue.expected)
      );
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string' ? 'at least one, not none' : `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    case 'invalid_union':
      return issue.path.some((it) => SECRET_ENTRIES.has(String(it)))
        ? 'a reference, never the secret itself: {env: NAME_OF_A_VARIABLE} or {file: path}'
        : 'one of its forms';
    case 'invalid_format':
      return issue.format === 'url' ? 'a URL such as https://standby.example:7443' : issue.message;
    default:
      return issue.message;
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'nothing';
  return (
    { string: 'a text', number: 'a number', boolean: 'a yes or no', object: 'a group of entries' }[typeof value as string] ?? 'nothing'
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? JSON.stringify(value).slice(0, 80)
    : kindOf(value);
}

function pathText(path: readonly PropertyKey[]): string {
  return (
    path.reduce<string>((text, step) => {
      if (typeof step === 'number') return `${text}[${step}]`;
      return text === '' ? String(step) : `${text}.${String(step)}`;
    }, '') || 'the file'
  );
}
