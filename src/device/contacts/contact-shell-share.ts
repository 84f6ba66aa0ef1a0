import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { contactShellContract } from './contact-contract.ts'
import type { ContactShells, Guest } from './contact-shells.ts'

/** Shells of this device as one linked device of a contact reaches them. The grant is asked for at each call, by `shells`. */
export function contactShellHandlers(guest: Guest, shells: ContactShells): Handlers<typeof contactShellContract> {
  /** It hears of no other: a byte on this lane that it did not ask for would be a fault of ours. */
  const asked = new Set<string>()
  const ask = (terminal: HostTerminal) => {
    asked.add(terminal.terminalId)
    return terminal
  }
  return {
    openShell: async (request, { signal }) => ask(await shells.open(guest, request, signal)),
    attachShell: async (request, context) => {
      const { channel, terminal } = await shells.attach(guest, request, context)
      return { channel: channel.id, terminal: ask(terminal) }
    },
    listShells: () => shells.list(guest).map(ask),
    endShell: async ({ terminalId }) => {
      await shells.end(guest, terminalId)
      return {}
    },
    onDidChangeShell: (listener) => shells.onDidChange(({ terminal }) => asked.has(terminal.terminalId) && listener(terminal)),
  }
}
