import { toBase58 } from '../base/base58.ts'
import type { RandomSource } from '../base/random.ts'

/** A job's or an attempt's name: 128 random bits, so that no device can guess another's. */
export const newJobId = (random: RandomSource): string => toBase58(random.bytes(16)).padStart(16, '1')
