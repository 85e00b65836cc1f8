import { setTimeout as pause } from 'node:timers/promises';
import { type CommandFactory, command, configOption, jsonOption } from '../command.js';

export const statusCommand: CommandFactory = (terminal) =>
  command('status [stream]', {
    summary: 'show the state of all streams, or of one',
    description:
      'Asks Temporal and, through their workers, both sites: phase, mode, the last cycle and why it ended so, lag, position, wagons by state, ' +
      'a dead letter if there is one, wagons that were left out by decision, keys on this machine that end within 60 days, and what to do next. All of it is derived at this moment; nothing is stored, nothing is changed. ' +
      '"lag at most": what a loss of the source right now could cost, counted from the begin of the last cycle that came to the end of the log, ' +
      'and unknown when the target has been restored or copied anew since. ' +
      'A stream whose cycles are overdue without an error says so under "why" (`late` in JSON). Whatever it finds, it ends with exit code 0.',
    examples: [
      ['srdf status', 'every stream of the pair'],
      ['srdf status shop --watch', 'one stream, again and again until Ctrl-C'],
      ['srdf status --json | jq .streams', 'for scripts'],
    ],
    errors: ['config-invalid', 'temporal-unreachable'],
  })
    .option('-w, --watch', 'show it again every few seconds until Ctrl-C')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (name: string | undefined, options: { watch?: true; json?: true; config: string }) => {
      const { withPair } = await import('../control.js');
      const { streamOf } = await import('../../config/load.js');
      const { askStream } = await import('../ask-stream.js');
      const { deriveStatus } = await import('../derive-status.js');
      const { renderStatus } = await import('../rendering/status.js');
      const { renderKeyEnds } = await import('../rendering/keys.js');
      const { endingKeysHere } = await import('../site-keys.js');
      await withPair(options.config, async (control) => {
        const streams = name === undefined ? control.config.streams : [streamOf(control.config, name)];
        const ui = control.config.temporal.ui;
        const ending = await endingKeysHere(control.config, Date.now());
        for (;;) {
          const statuses = (await Promise.all(streams.map((it) => askStream(control, it)))).map(deriveStatus);
          const now = Date.now();
          const text = options.json
            ? `${JSON.stringify({ pair: control.config.pair, at: now, temporalUi: ui ?? null, streams: statuses, endingKeys: ending })}\n`
            : `${renderStatus(statuses, now, ui)}${renderKeyEnds(ending)}`;
          // Clear the screen only where somebody watches one; a pipe gets one answer after the other.
          terminal.out(options.watch && terminal.live && !options.json ? `\u001b[2J\u001b[H${text}` : text);
          if (!options.watch || terminal.signal.aborted) return;
          await pause(2_000, undefined, { signal: terminal.signal }).catch(() => undefined);
          if (terminal.signal.aborted) return;
        }
      });
    });
