/** Everything the workflow bundle holds. A function's name is its workflow's type: never rename one. */
export { deadLetter } from './dead-letter.js';
export { replicationCycle } from './replication-cycle.js';
export { stream } from './stream.js';
export { streamFacts } from './stream-facts.js';
