import { errorMessage } from '../base/errors.ts'
import type { Vault } from '../identity/vault.ts'
import { wordsOfFilesWay } from '../sync/links-contract.ts'
import type { DisplaySession } from './desk/display-session.ts'
import type { LinksService } from './links/links-service.ts'
import type { Notices } from './notices.ts'
import type { OpenDesk } from './desk/open-desk.ts'

export interface DebugSources {
  readonly vault: Vault
  readonly notices: Notices
  readonly links: LinksService
  readonly version: string
  readonly sessions: ReadonlySet<DisplaySession>
  desk(): OpenDesk | undefined
}

/** The inside of a device as text: what the debug panel and `elsewhere debug` print (R25). Names no secret and no content. */
export function debugText({ vault, notices, links, version, sessions, desk }: DebugSources): string {
  const lines = [`Elsewhere ${version}`, `device    ${vault.label?.deviceId ?? '(none yet)'} · ${vault.phase}`]
  for (const session of sessions) lines.push(`display   ${session.name} · ${session.isUnlocked ? 'unlocked' : 'locked'}`)
  for (const { code, severity, message } of notices.standing) lines.push(`notice    ${severity} ${code}: ${message}`)
  const open = desk()
  if (!open) return lines.join('\n')
  try {
    for (const row of links.rows()) {
      const round = row.roundTripMs === undefined ? '' : ` · ${row.roundTripMs.toFixed(1)} ms`
      lines.push(`peer      ${row.name} ${row.deviceId.slice(0, 12)} · ${row.state}${row.path ? ` · ${row.path}` : ''}${round}`)
      const way = wordsOfFilesWay(row)
      if (way !== undefined) lines.push(`  files   ${way}`)
      for (const [lane, counters] of Object.entries(row.lanes ?? {})) {
        if (counters.sentMessages + counters.receivedMessages === 0) continue
        lines.push(
          `  lane    ${lane}: out ${counters.sentBytes} B in ${counters.sentMessages}, in ${counters.receivedBytes} B in ${counters.receivedMessages}`,
        )
      }
    }
    lines.push(`epoch     ${open.context.seal.epoch} · ${open.keyring.names.length} keys held`)
    for (const replica of open.documents.all()) {
      const { envelopes, bytes } = open.context.log.size(replica.docId)
      const queue = `waiting ${replica.waiting}, pending ${replica.pendingBytes} B, displays ${replica.displays}`
      lines.push(`document  ${replica.docId} · ${envelopes} envelopes, ${bytes} B · ${queue}`)
    }
    lines.push(`frames    ${JSON.stringify(open.sync.frameCounts)}`)
  } catch (error) {
    lines.push(`(the rest could not be read: ${errorMessage(error)})`)
  }
  return lines.join('\n')
}
