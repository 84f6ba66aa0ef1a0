import type { DevicesSlice } from '../../desk/devices-store.ts'

const WHY = { refused: 'this device may use no shell there', failed: 'did not answer', away: 'away' } as const

/** On which devices shells of others are not seen from here, and why; empty: on none. */
export function unseenWords(rows: DevicesSlice['rows'], unsaid: DevicesSlice['unsaid']): string {
  const unseen = rows.flatMap(({ deviceId, name, state }) => {
    const why = state === 'away' || state === 'connecting' ? 'away' : unsaid[deviceId]
    return why ? [`${name} (${WHY[why]})`] : []
  })
  return unseen.length > 0 ? `Shells of others are not seen from here on: ${unseen.join(', ')}.` : ''
}
