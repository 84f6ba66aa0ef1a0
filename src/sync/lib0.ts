/** lib0's binary writer. Reading is ours (bounded-reader.ts): lib0 trusts the lengths it reads. */
export * as encoding from 'lib0/encoding'
