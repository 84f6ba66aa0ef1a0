import { create } from 'zustand'

/** Something a person should know that happened without them. */
export interface DeskMessage {
  readonly id: string
  readonly code: string
  readonly severity: 'info' | 'warn' | 'error'
  readonly title: string
  readonly body: string
  readonly atMs: number
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
