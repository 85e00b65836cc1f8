import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { EncryptingPayloadCodec, parsePayloadKey, payloadKeyId } from '../../temporal/payload-codec.js';

const key = randomBytes(32);
const payload = defaultPayloadConverter.toPayload({ found: 'binlog_row_image is MINIMAL' });

describe('sealed payloads', () => {
  it('come back as they were, and tell nothing on the way', async () => {
    const codec = new EncryptingPayloadCodec(key);
    const [sealed] = await codec.encode([payload]);
    expect(Buffer.from(sealed?.data ?? []).toString('latin1')).not.toContain('MINIMAL');
    expect(Object.keys(sealed?.metadata ?? {})).toEqual(['encoding', 'srdf-key-id']);
    const [opened] = await codec.decode(sealed === undefined ? [] : [sealed]);
    expect(opened && defaultPayloadConverter.fromPayload(opened)).toEqual({ found: 'binlog_row_image is MINIMAL' });
  });
  it('are different each time', async () => {
    const codec = new EncryptingPayloadCodec(key);
    const [a, b] = await codec.encode([payload, payload]);
    expect(Buffer.from(a?.data ?? []).equals(Buffer.from(b?.data ?? []))).toBe(false);
  });
  it('are refused when any byte was changed', async () => {
    const codec = new EncryptingPayloadCodec(key);
    const [sealed] = await codec.encode([payload]);
    const data = Uint8Array.from(sealed?.data ?? []);
    for (let at = 0; at < data.length; at++) {
      const changed = data.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(codec.decode([{ ...sealed, data: changed }])).rejects.toMatchObject({ code: 'wagon-sealed-body' });
    }
    await expect(codec.decode([{ ...sealed, data: data.slice(0, 5) }])).rejects.toMatchObject({ code: 'wagon-sealed-body' });
  });
  it('of another key are refused by name of the key', async () => {
    const other = randomBytes(32);
    const [sealed] = await new EncryptingPayloadCodec(other).encode([payload]);
    const opening = new EncryptingPayloadCodec(key).decode(sealed === undefined ? [] : [sealed]);
    await expect(opening).rejects.toMatchObject({ code: 'key-missing', facts: { found: expect.stringContaining(payloadKeyId(other)) } });
  });
});

describe('a payload key', () => {
  it('is 32 bytes as hex or base64', () => {
    expect(parsePayloadKey(`${key.toString('hex')}\n`)).toEqual(key);
    expect(parsePayloadKey(key.toString('base64'))).toEqual(key);
  });
  it('of any other length is refused', () => {
    for (const wrong of ['', 'secret', randomBytes(31).toString('hex'), randomBytes(33).toString('base64')])
      expect(() => parsePayloadKey(wrong)).toThrow(expect.objectContaining({ code: 'key-missing' }));
  });
});
