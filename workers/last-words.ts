/** What a process says that ends by an error nobody has caught: Node would print it whole, a failed statement with its rows among its properties. */
import type { Logger } from 'pino';

const UNEXPECTED = 70;

/** Whoever started the process starts it again. */
export function installLastWords(log: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      log.fatal({ err: error, event }, 'ended by an error that nobody caught');
      process.exit(UNEXPECTED);
    });
}
