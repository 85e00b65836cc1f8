import { once } from 'node:events';
import { type CommandFactory, command, configOption } from '../command.js';

export const codecCommand: CommandFactory = (terminal) =>
  command('codec', {
    summary: 'let the Temporal UI show what it only sees sealed',
    description:
      "A remote codec for Temporal's UI and command line, until Ctrl-C: results, summaries and details are opened with temporal.payloadKey and shown in " +
      'clear (they hold counts, positions and outcomes, never a row). Whoever reaches its port can read them: it listens on this machine alone unless told otherwise. ' +
      'In the UI: the glasses at the top, Remote Codec Endpoint.',
    examples: [
      ['srdf codec', 'then give the UI http://127.0.0.1:8081'],
      ['srdf codec --listen 127.0.0.1:9000 --origin https://temporal.example', 'another port, and a UI elsewhere'],
    ],
    errors: ['config-invalid', 'key-missing', 'secret-missing', 'secret-permissions'],
  })
    .option('--listen <address>', 'host:port', '127.0.0.1:8081')
    .option('--origin <url>', "the UI's address; default: temporal.ui of the config, else http://localhost:8233")
    .addOption(configOption())
    .action(async (options: { listen: string; origin?: string; config: string }) => {
      const { loadConfig, resolveSecret } = await import('../../config/load.js');
      const { startCodecServer } = await import('../../temporal/codec-server.js');
      const { temporal } = await loadConfig(options.config);
      const origin = options.origin ?? temporal.ui ?? 'http://localhost:8233';
      const server = await startCodecServer({ secret: (await resolveSecret(temporal.payloadKey)) ?? '', listen: options.listen, origin });
      try {
        if (!/^http:\/\/(127\.|\[::1\])/.test(server.url))
          terminal.err(`Warning: everyone who reaches ${server.url} can read this pair's payloads\n`);
        terminal.out(`Codec endpoint for ${origin}: ${server.url}\n`);
        if (!terminal.signal.aborted) await once(terminal.signal, 'abort');
      } finally {
        await server.close();
      }
    });
