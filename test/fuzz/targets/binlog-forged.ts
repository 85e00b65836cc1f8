/** A log file changed by somebody who can compute checksums: refused, or read as something that hangs together. */
import type { FuzzTarget } from '../contract.js';
import { corpusFiles } from '../corpus.js';
import { decodeBinlog, judgeItems, LOG_REFUSALS } from '../decode-binlog.js';
import { mutateBinlog } from '../mutate-binlog.js';

const files = corpusFiles('binlog').map((file) => file.bytes);

export const binlogForged: FuzzTarget = {
  name: 'binlog-forged',
  refusals: LOG_REFUSALS,
  corpus: () => files,
  mutate: (input, random) => mutateBinlog(input, files, random),
  run: (input) => judgeItems(decodeBinlog(input)),
};
