/** Long activities say that they live, and stop when they are told to. */
import { Context } from '@temporalio/activity';

const INTERVAL_MILLISECONDS = 3_000;

export interface Heartbeat {
  /** Shown in the UI beside the running activity: counts and sequences, never data. */
  report(details: Readonly<Record<string, number | string>>): void;
  /** Aborted when the activity is cancelled or its worker shuts down. */
  readonly signal: AbortSignal;
  /** The same for all attempts of one activity, and for nothing else. */
  readonly owner: string;
}

/** Outside an activity (a test, a command run by hand) nobody listens and nobody cancels. */
function currentContext(): Context | null {
  try {
    return Context.current();
  } catch {
    return null;
  }
}

/** Runs `work` and heartbeats beside it every three seconds with what it last reported. */
export async function withHeartbeat<T>(work: (heartbeat: Heartbeat) => Promise<T>): Promise<T> {
  const context = currentContext();
  if (context === null) return await work({ report: () => undefined, signal: new AbortController().signal, owner: '' });
  let details: Readonly<Record<string, number | string>> = {};
  const timer = setInterval(() => context.heartbeat(details), INTERVAL_MILLISECONDS);
  try {
    return await work({
      report: (latest) => {
        details = latest;
        context.heartbeat(details);
      },
      signal: context.cancellationSignal,
      owner: `${context.info.workflowExecution?.runId ?? ''}/${context.info.activityId}`,
    });
  } finally {
    clearInterval(timer);
  }
}
