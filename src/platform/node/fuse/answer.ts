import type { Answer, MountedTree } from '../../../files/mounted-tree.ts'
import type { FuseErrno, RequestHeader, RequestReader } from './request-reader.ts'
import type { ReplyContext } from './write-reply.ts'

/**
 * What a request is answered with: a reply whose header is still to be written, bytes to go after a header,
 * nothing but success, or (`silent`) no answer at all.
 */
export type Reply = Buffer | readonly Uint8Array[] | undefined | 'silent' | FuseErrno

/** What an answer may use. */
export interface AnswerContext extends ReplyContext {
  readonly tree: MountedTree
  /** The kernel was told of this entry once more: counted until it gives it back. */
  handedOut(ino: number): void
  /** What the tree handed out and the kernel was not told of after all. */
  giveBack(ino: number, count: number): void
  /** Aborted when whoever asked has given up. */
  signal(): AbortSignal
}

/** Answers one kind of request. The reader's bytes are valid only until it returns. */
export type AnswerRequest = (reader: RequestReader, header: RequestHeader, context: AnswerContext) => Answer<Reply>

/** `then` that stays on this turn when the value is there already. */
export function andThen<T, R>(value: Answer<T>, next: (value: T) => Answer<R>): Answer<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

export const done = (): undefined => undefined
