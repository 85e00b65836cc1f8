/** Every line of a pair, broken in every way a line breaks. What is half open stays so for good: neither side is ever told. */
import { LINES, type Line } from '../../integration/breakable.js';
import type { TcpProxy } from '../../servers/tcp-proxy.js';
import type { Fault } from '../contract.js';

const BREAKS: readonly { readonly name: (line: string) => string; readonly make: (line: TcpProxy) => void | Promise<void> }[] = [
  { name: (line) => `the line ${line} cut`, make: (line) => line.cut() },
  { name: (line) => `requests vanish on the line ${line}`, make: (line) => line.blackHole('to the server') },
  { name: (line) => `answers vanish on the line ${line}`, make: (line) => line.blackHole('to the client') },
  { name: (line) => `the line ${line} half open, both ways`, make: (line) => line.blackHole('to the server', 'to the client') },
  { name: (line) => `the line ${line} reset in mid-body`, make: (line) => line.resetInBody(3_000) },
  { name: (line) => `4 KB/s on the line ${line}`, make: (line) => line.slow(4_096) },
];

const broken = (line: Line): readonly Fault[] =>
  BREAKS.map(({ name, make }) => ({
    name: name(`from ${line}`),
    group: 'network',
    expected: 'goes on',
    async inflict(pair) {
      const proxy = pair.breakable.line(line);
      await make(proxy);
      return async () => await proxy.heal();
    },
  }));

export const NETWORK_FAULTS: readonly Fault[] = LINES.flatMap(broken);
