/** Looks for planted values in everything that a pair leaves behind, in every form in which a program may write one. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Payload } from '@temporalio/common';
import { EncryptingPayloadCodec } from '../../temporal/payload-codec.js';
import type { Pair } from '../integration/pair.js';

type Canaries = Readonly<Record<string, string | Uint8Array>>;

/** UTF-8, UTF-16, hexadecimal, base64 at each of its three alignments (RFC 4648), percent-encoded. */
function formsOf(canary: string | Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(canary);
  const hex = bytes.toString('hex');
  const forms = [bytes, Buffer.from(hex), Buffer.from(hex.toUpperCase())];
  if (typeof canary === 'string')
    forms.push(Buffer.from(canary, 'utf16le'), Buffer.from(canary, 'utf16le').swap16(), Buffer.from(encodeURIComponent(canary)));
  // The first and last characters depend on the neighbours.
  for (const shift of [0, 1, 2])
    forms.push(
      Buffer.from(
        Buffer.concat([Buffer.alloc(shift), bytes])
          .toString('base64')
          .slice(shift === 0 ? 0 : 4, -4),
      ),
    );
  return forms;
}

/** The names of the canaries that are in there. */
export function found(bytes: Buffer, canaries: Canaries): string[] {
  return Object.entries(canaries).flatMap(([name, canary]) => (formsOf(canary).some((form) => bytes.includes(form)) ? [name] : []));
}

/** `path: canary` of every file below a folder that holds one. `skip`: paths relative to it. */
export async function searchFiles(directory: string, canaries: Canaries, skip: RegExp): Promise<string[]> {
  const finds: string[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(directory, path);
    if (!entry.isFile() || skip.test(name)) continue;
    for (const canary of found(await readFile(path).catch(() => Buffer.alloc(0)), canaries)) finds.push(`${name}: ${canary}`);
  }
  return finds;
}

const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && 'metadata' in value && 'data' in value && value.data instanceof Uint8Array;

/** All that Temporal knows of every workflow, opened with the payload key, as text. */
export async function openedHistories(pair: Pair, key: Uint8Array): Promise<string> {
  const codec = new EncryptingPayloadCodec(key);
  const { workflowService } = pair.temporalClient.connection;
  const { namespace } = pair.temporalClient;
  const texts: string[] = [];
  const open = async (value: unknown): Promise<void> => {
    if (isPayload(value)) {
      const [plain] = await codec.decode([value]);
      texts.push(Buffer.from(plain?.data ?? []).toString('utf8'));
    } else if (Array.isArray(value)) for (const it of value) await open(it);
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
      for (const it of Object.values(value)) await open(it);
    else if (typeof value === 'string') texts.push(value);
  };
  for await (const { workflowId, runId } of pair.temporalClient.client.workflow.list()) {
    const execution = { workflowId, runId };
    const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution });
    await open(history);
    await open(await workflowService.describeWorkflowExecution({ namespace, execution }));
  }
  return texts.join('\n');
}
