// SM3 (GB/T 32905-2016) of bytes, so that a file can be compared with its digest without leaving the device.
const START = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];
const turn = (x, n) => (n ? (x << n) | (x >>> (32 - n)) : x);
const p0 = (x) => x ^ turn(x, 9) ^ turn(x, 17);
const p1 = (x) => x ^ turn(x, 15) ^ turn(x, 23);

function padded(bytes) {
  const out = new Uint8Array(((bytes.length + 8) >> 6 << 6) + 64);
  out.set(bytes);
  out[bytes.length] = 0x80;
  const view = new DataView(out.buffer);
  view.setUint32(out.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(out.length - 4, (bytes.length << 3) >>> 0);
  return view;
}

export function sm3(bytes) {
  const view = padded(bytes);
  const v = Int32Array.from(START);
  const w = new Int32Array(68);
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let j = 0; j < 68; j += 1) {
      w[j] = j < 16
        ? view.getInt32(block + 4 * j)
        : p1(w[j - 16] ^ w[j - 9] ^ turn(w[j - 3], 15)) ^ turn(w[j - 13], 7) ^ w[j - 6];
    }
    let [a, b, c, d, e, f, g, h] = v;
    for (let j = 0; j < 64; j += 1) {
      const early = j < 16;
      const s1 = turn((turn(a, 12) + e + turn(early ? 0x79cc4519 : 0x7a879d8a, j % 32)) | 0, 7);
      const s2 = s1 ^ turn(a, 12);
      const t1 = ((early ? a ^ b ^ c : (a & b) | (a & c) | (b & c)) + d + s2 + (w[j] ^ w[j + 4])) | 0;
      const t2 = ((early ? e ^ f ^ g : (e & f) | (~e & g)) + h + s1 + w[j]) | 0;
      [d, c, b, a, h, g, f, e] = [c, turn(b, 9), a, t1, g, turn(f, 19), e, p0(t2)];
    }
    [a, b, c, d, e, f, g, h].forEach((word, at) => { v[at] ^= word; });
  }
  return Array.from(v, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
