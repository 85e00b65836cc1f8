/** What workflows can be searched by in the UI. Never encrypted: names, outcomes and numbers only. Pure. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

export const PAIR = defineSearchAttributeKey('SrdfPair', SearchAttributeType.KEYWORD);
export const STREAM = defineSearchAttributeKey('SrdfStream', SearchAttributeType.KEYWORD);
/** What kind of work: `cycle`, `bootstrap`, `dead-letter`, `stream`, `compare`. */
export const PHASE = defineSearchAttributeKey('SrdfPhase', SearchAttributeType.KEYWORD);
/** A cycle's outcome; unset while it runs and for `idle`, whose history has to stay small. */
export const OUTCOME = defineSearchAttributeKey('SrdfOutcome', SearchAttributeType.KEYWORD);
export const EPOCH = defineSearchAttributeKey('SrdfEpoch', SearchAttributeType.INT);
export const LAG_SECONDS = defineSearchAttributeKey('SrdfLagSeconds', SearchAttributeType.INT);

export const SEARCH_ATTRIBUTES = [PAIR, STREAM, PHASE, OUTCOME, EPOCH, LAG_SECONDS] as const;

/** Who and what a workflow is about, given when it starts. */
export const workAbout = (route: { readonly pair: string; readonly stream: string }, phase: string) => [
  { key: PAIR, value: route.pair },
  { key: STREAM, value: route.stream as string },
  { key: PHASE, value: phase },
];
