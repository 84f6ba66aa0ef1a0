/** Randomness as a dependency (R23). */
export interface RandomSource {
  /** `length` unpredictable bytes. */
  bytes(length: number): Uint8Array
}

/** The platform's cryptographic source. */
export const systemRandom: RandomSource = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
}
