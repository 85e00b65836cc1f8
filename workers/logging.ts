/** One JSON line per event on standard output, as journald and container runtimes want them. */
import { hostname } from 'node:os';
import type { LogLevel, LogMetadata } from '@temporalio/worker';
import { type Logger, pino } from 'pino';
import { errorForLog } from './error-for-log.js';

export interface LogIdentity {
  readonly pair: string;
  readonly site: string;
  readonly role: 'source' | 'target';
}

/** `err` is ours, `error` the SDK's. pino's own serializer would write messages and all properties, a failed statement with its rows among them. */
export const LOG_SERIALIZERS = { err: errorForLog, error: errorForLog };

/** `SRDF_LOG_LEVEL`: trace, debug, info (default), warn, error. Passwords and keys never reach a log; the paths below are a second net. */
export const createLog = (identity: LogIdentity): Logger =>
  pino({
    level: process.env.SRDF_LOG_LEVEL ?? 'info',
    base: { pid: process.pid, host: hostname(), ...identity },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: LOG_SERIALIZERS,
    redact: { paths: ['password', '*.password', 'key', '*.key', 'payloadKey', '*.payloadKey'], censor: '[redacted]' },
  });

/** The SDK's logger, core messages included, on ours. */
export function temporalLogger(log: Logger) {
  const child = log.child({ component: 'temporal' });
  const write = (level: LogLevel, message: string, meta?: LogMetadata): void => {
    const facts = meta === undefined ? {} : { ...meta };
    if (level === 'TRACE') child.trace(facts, message);
    else if (level === 'DEBUG') child.debug(facts, message);
    else if (level === 'INFO') child.info(facts, message);
    else if (level === 'WARN') child.warn(facts, message);
    else child.error(facts, message);
  };
  return {
    log: write,
    trace: (message: string, meta?: LogMetadata) => write('TRACE', message, meta),
    debug: (message: string, meta?: LogMetadata) => write('DEBUG', message, meta),
    info: (message: string, meta?: LogMetadata) => write('INFO', message, meta),
    warn: (message: string, meta?: LogMetadata) => write('WARN', message, meta),
    error: (message: string, meta?: LogMetadata) => write('ERROR', message, meta),
  };
}
