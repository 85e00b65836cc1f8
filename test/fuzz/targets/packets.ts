/** The stream of a server, cut into packets: however it comes in, the same packets come out, and none is waited for beyond its bytes. */
import { PacketFramer } from '../../../activities/engines/mysql/binlog/packet-framer.js';
import { type FuzzTarget, require } from '../contract.js';
import { mutateBytes } from '../mutate-bytes.js';
import { Random } from '../random.js';

function framed(stream: Buffer, sizes: () => number): string[] {
  const framer = new PacketFramer();
  const found: string[] = [];
  for (let at = 0; at < stream.length; ) {
    const size = sizes();
    framer.push(stream.subarray(at, at + size));
    at += size;
    while (framer.next()) for (let i = 0; i < framer.count; i++) found.push(framer.bytes.toString('hex', framer.starts[i], framer.ends[i]));
  }
  return found;
}
const packet = (length: number): Buffer => Buffer.concat([Buffer.from([length & 0xff, length >> 8, 0, 0]), Buffer.alloc(length, length)]);

export const packets: FuzzTarget = {
  name: 'packets',
  refusals: new Set(),
  corpus: () => [Buffer.concat([0, 1, 3, 300, 4, 40].map(packet)), Buffer.concat([5, 5, 5].map(packet))],
  mutate: mutateBytes,
  run: (input) => {
    const stream = Buffer.from(input);
    const random = new Random(stream.length);
    const whole = framed(stream, () => stream.length);
    const torn = framed(stream, () => 1 + random.below(40));
    require(whole.join(' ') === torn.join(' '), () => 'packets depend on how the stream is torn');
    const bytes = whole.reduce((sum, it) => sum + 4 + it.length / 2, 0);
    require(bytes <= stream.length, () => 'more bytes came out than went in');
  },
};
