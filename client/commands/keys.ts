import { Argument } from 'commander';
import { type CommandFactory, command, configOption, jsonOption } from '../command.js';

type Side = 'source' | 'target';
const sideArgument = () =>
  new Argument('<site>', 'whose key ring: the site that serves or the one that stands by').choices(['source', 'target']);

/** The one order in which nothing is lost: what the old keys have sealed is opened by nobody afterwards, and is cut again from the log. */
const RENEWING = `
Renewing: keys last 760 days. From 60 days before their end status, keys show and the workers' logs say so; once they
have ended, the stream stands. Renew both sites' at once, and not while a first copy is being made:
  1. The source's log must still reach back to where the target stands ("position" of srdf status): what isn't applied
     yet is read from there again. If it doesn't, renew all the same and then establish the stream anew.
  2. If the keys still work: srdf suspend STREAM. Then stop both workers.
  3. Move the key folder away, whole, at each site; at the source the folder spool of its state, at the target the
     folder inbox: what is in them is sealed under the old keys.
  4. keys generate, keys show and keys trust at both sites, as the first time; the fingerprints compared anew.
  5. Start both workers, and srdf resume STREAM. If status names a dead letter: srdf dead-letters retry STREAM.
  6. Once a cycle has gone well, delete what was moved away: what the old key could open nobody opens any more.`;

export const keysCommand: CommandFactory = (terminal) =>
  command('keys', {
    summary: "make a site's keys, show them, trust the other site's",
    description:
      'Each site makes its own key ring and keeps it. Only its public bundle (site.bundle) travels to the other site, which trusts it once both sides have compared the fingerprint by voice.',
    examples: [
      ['srdf keys generate source', 'at the site that serves'],
      ['srdf keys show source', 'the fingerprint to read out'],
      ['srdf keys trust target paris.bundle', 'at the other site: shows the fingerprint, trusts nothing yet'],
      ['srdf keys trust target paris.bundle --fingerprint …', 'trusts it, if the fingerprint is that'],
      ['srdf keys payload-key payload.key', 'what encrypts the payloads that pass through Temporal'],
    ],
    errors: ['config-invalid', 'key-missing', 'key-exists', 'key-permissions', 'key-bundle-refused'],
  })
    .addHelpText('after', RENEWING)
    .addCommand(generate(terminal))
    .addCommand(show(terminal))
    .addCommand(trust(terminal))
    .addCommand(payloadKey(terminal));

const generate: CommandFactory = (terminal) =>
  command('generate', {
    summary: "make a site's key ring",
    description: 'Writes private keys (files 0600 in a folder 0700) and the public bundle. A key ring that is there already is left alone.',
    examples: [
      ['srdf keys generate source', 'in the folder that source.keys names'],
      ['srdf keys generate target', 'at the site that stands by'],
    ],
    errors: ['config-invalid', 'key-exists'],
  })
    .addArgument(sideArgument())
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (side: Side, options: { json?: true; config: string }) => {
      const { generateKeys } = await import('../site-keys.js');
      const made = await generateKeys(options.config, side);
      terminal.out(
        options.json
          ? `${JSON.stringify(made)}\n`
          : `Keys of ${made.site} in ${made.folder}\nfingerprint  ${made.fingerprint}\nNext: bring ${made.bundle} to the other site, and trust it there: srdf keys trust ${side === 'source' ? 'target' : 'source'} BUNDLE\n`,
      );
    });

const show: CommandFactory = (terminal) =>
  command('show', {
    summary: "a site's fingerprint, and those it trusts",
    description: 'Shows public facts only. Read the fingerprint out to the other site over a way that nobody can have changed: by voice.',
    examples: [
      ['srdf keys show target', 'its own and the trusted ones'],
      ['srdf keys show target --fingerprint', 'its own fingerprint alone, for scripts'],
    ],
    errors: ['config-invalid', 'key-missing', 'key-permissions', 'key-bundle-refused'],
  })
    .addArgument(sideArgument())
    .option('--fingerprint', 'print the fingerprint alone')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (side: Side, options: { fingerprint?: true; json?: true; config: string }) => {
      const { showKeys } = await import('../site-keys.js');
      const { renderKeys } = await import('../rendering/keys.js');
      const keys = await showKeys(options.config, side);
      if (options.fingerprint) terminal.out(`${keys.own.fingerprint}\n`);
      else terminal.out(options.json ? `${JSON.stringify(keys)}\n` : renderKeys(keys));
    });

const trust: CommandFactory = (terminal) =>
  command('trust', {
    summary: "trust the other site's public bundle",
    description:
      'Without --fingerprint the bundle is only looked at: its fingerprint is shown, nothing is trusted, and the exit code is 3. ' +
      'Compare it by voice with what the other site sees (srdf keys show), then give it here.',
    examples: [
      ['srdf keys trust source frankfurt.bundle', 'look at it'],
      ['srdf keys trust source frankfurt.bundle --fingerprint …', 'trust it'],
    ],
    errors: ['config-invalid', 'key-missing', 'key-bundle-refused'],
  })
    .addArgument(sideArgument())
    .argument('<bundle>', "the other site's site.bundle")
    .option('--fingerprint <text>', 'what the other site has read out')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (side: Side, bundle: string, options: { fingerprint?: string; json?: true; config: string }) => {
      const { trustKeys } = await import('../site-keys.js');
      const trusted = await trustKeys(options.config, side, bundle, options.fingerprint);
      terminal.out(
        options.json ? `${JSON.stringify(trusted)}\n` : `${trusted.site} (${trusted.role}) is trusted: ${trusted.fingerprint}\n`,
      );
    });

const payloadKey: CommandFactory = (terminal) =>
  command('payload-key <file>', {
    summary: 'make the key that encrypts what passes through Temporal',
    description:
      'Writes 32 random bytes, as hex, into a new file (0600). Both sites and every operator use the same file; a file that is there is left alone.',
    examples: [['srdf keys payload-key /etc/srdf/payload.key', 'then temporal.payloadKey: {file: /etc/srdf/payload.key}']],
    errors: ['key-exists'],
  }).action(async (file: string) => {
    const { writePayloadKey } = await import('../payload-key.js');
    await writePayloadKey(file);
    terminal.out(
      `Wrote ${file}. Bring it to the other site over a secret way, and name it in the config: temporal.payloadKey: {file: ${file}}\n`,
    );
  });
