/** The JSON schema of `srdf.yaml` for editors, made from the validator. */
import { z } from 'zod';
import { configSchema } from './schema.js';

/** What a person writes (`input`): defaults optional, durations and sizes still text. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ ...schema, title: 'srdf.yaml: the config of a pair' }, null, 2)}\n`;
}
