/** After `--keep`: where everything is and what to try. Pure. */
import type { Pair } from '../test/integration/pair.js';
import { srdfCommand } from '../test/servers/worker-process.js';

export function howToGoOn(pair: Pair): string {
  const environment = Object.entries({ ...pair.env, SRDF_CONFIG: pair.configFile }).map(([name, value]) => `export ${name}='${value}'`);
  return `
Everything is left running until Ctrl-C.
  Temporal UI        ${pair.temporal.uiAddress ?? pair.temporal.address}
  Paris (source)     mariadb -h127.0.0.1 -P${pair.source.port} -uroot shop
  Frankfurt (target) mariadb -h127.0.0.1 -P${pair.target.port} -uroot shop
  config and logs    ${pair.directory}
In another terminal:
  ${environment.join('\n  ')}
  alias srdf='node ${srdfCommand}'
  srdf status --watch
  srdf cycle ${pair.name}
  srdf verify ${pair.name}
  kill -9 ${pair.workers.target.pid ?? ''}   # the target worker; start it again with: srdf worker target`;
}
