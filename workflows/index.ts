/** Everything the workflow bundle holds. A function's name is its workflow's type: never rename one. */
export { bootstrap } from './bootstrap.js';
export { bootstrapTable } from './bootstrap-table.js';
export { compare } from './compare.js';
export { compareTable } from './compare-table.js';
export { deadLetter } from './dead-letter.js';
export { replicationCycle } from './replication-cycle.js';
export { stream } from './stream.js';
export { streamFacts } from './stream-facts.js';
