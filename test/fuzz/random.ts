/** Random numbers that a seed repeats: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c). Pure. */
export class Random {
  private readonly state = new Uint32Array(4);

  constructor(seed: number) {
    // splitmix32: neighbouring seeds give unlike states.
    let z = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e3779b9) >>> 0;
      let it = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      it = Math.imul(it ^ (it >>> 13), 0xc2b2ae35);
      this.state[i] = it ^ (it >>> 16);
    }
  }

  /** 32 bits. */
  next(): number {
    const s = this.state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const t = b << 9;
    const c2 = c ^ a;
    const d2 = d ^ b;
    s[1] = b ^ c2;
    s[0] = a ^ d2;
    s[2] = c2 ^ t;
    s[3] = (d2 << 11) | (d2 >>> 21);
    return result;
  }
  /** 0 … limit - 1. */
  below(limit: number): number {
    return limit <= 1 ? 0 : Math.floor((this.next() / 2 ** 32) * limit);
  }
  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  }
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.next() & 0xff));
  }
}
