#!/usr/bin/env node
/** The `srdf` executable. */
import { runCommand } from './program.js';
import { processTerminal } from './terminal.js';

const interrupted = new AbortController();
// A second Ctrl-C ends the process at once, as the shell would.
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());
// `srdf … | head` closes the pipe early: that is the reader's right, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCommand(process.argv.slice(2), processTerminal(interrupted.signal));
