import { create } from 'zustand'
import type { SessionState } from '../../session/session-state.ts'

/** What a message is about, where there is something to show: a job or workflow, what runs here for others, contacts and their shells. */
export type MessageAbout =
  | { readonly kind: 'job'; readonly job: string }
  | { readonly kind: 'workflow'; readonly workflow: string }
  | { readonly kind: 'guest-jobs' }
  | { readonly kind: 'contacts' }

/** Something a person should know that happened without them. */
export interface DeskMessage {
  readonly id: string
  readonly code: string
  readonly severity: 'info' | 'warn' | 'error'
  readonly title: string
  readonly body: string
  readonly atMs: number
  readonly about?: MessageAbout
  /** Listed, but not said: it is before the person's eyes already. */
  readonly quiet?: boolean
}

/** Kept on this display for looking up; older ones fall off. */
const MAX_MESSAGES = 100

export const useMessages = create<{ readonly messages: readonly DeskMessage[] }>(() => ({ messages: [] }))

/** Newest first; one that comes again takes the place of the earlier one. */
export function addMessage(message: DeskMessage): void {
  useMessages.setState(({ messages }) => ({
    messages: [message, ...messages.filter(({ id }) => id !== message.id)].slice(0, MAX_MESSAGES),
  }))
}

/** No longer listed on this display. */
export const dropMessage = ({ id }: DeskMessage): void =>
  useMessages.setState(({ messages }) => ({ messages: messages.filter((message) => message.id !== id) }))

/** Under which it is marked as read, the same on every display: one that comes again with its id is news again. */
export const readIdOf = ({ id, atMs }: DeskMessage): string => `${id} ${atMs}`

export const isUnread = (message: DeskMessage, { readUpToMs, read }: SessionState['notifications']): boolean =>
  message.atMs > readUpToMs && read[readIdOf(message)] === undefined
