/** What the demo shows while it runs: numbered steps, and below each what happens in it. */
import colours from 'picocolors';

export class Screen {
  private readonly began = Date.now();
  private stepBegan = Date.now();
  private step = 0;
  private lineOpen = false;
  private readonly live = process.stdout.isTTY === true;

  heading(text: string): void {
    this.write(`\n${colours.bold(text)}\n`);
  }
  /** Begins a step. */
  begin(title: string): void {
    this.step += 1;
    this.stepBegan = Date.now();
    this.write(`\n${colours.bold(colours.cyan(`${this.step}  ${title}`))}\n`);
  }
  note(text: string): void {
    this.write(`   ${this.time()} ${text}\n`);
  }
  /** A line that replaces the last one like it, where somebody watches; nothing where nobody does. */
  running(text: string): void {
    if (!this.live) return;
    process.stdout.write(`\r\u001b[K   ${this.time()} ${colours.dim(text)}`);
    this.lineOpen = true;
  }
  /** Ends a step. */
  done(text: string): void {
    const seconds = ((Date.now() - this.stepBegan) / 1_000).toFixed(1);
    this.write(`   ${colours.green('✓')} ${text} ${colours.dim(`(${seconds} s)`)}\n`);
  }
  failed(text: string): void {
    this.write(`   ${colours.red('✗')} ${text}\n`);
  }
  plain(text: string): void {
    this.write(`${text}\n`);
  }

  private write(text: string): void {
    if (this.lineOpen) process.stdout.write('\r\u001b[K');
    this.lineOpen = false;
    process.stdout.write(text);
  }
  private time(): string {
    return colours.dim(`${((Date.now() - this.began) / 1_000).toFixed(1).padStart(6)} s`);
  }
}
