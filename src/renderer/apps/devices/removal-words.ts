import type { DeviceRow } from '../../../sync/links-contract.ts'

/** What a person is told before a device is removed, and what the press will do. */
export interface RemovalWords {
  readonly body: string
  /** Absent: nothing here can do it. */
  readonly press?: string
  /** The press alone removes nothing yet. */
  readonly isOnlyAsking: boolean
}

const WHAT_HAPPENS = (name: string) =>
  `It is cut off at once on every device that hears of this, and they go on under new keys that ${name} does not get. ` +
  `What ${name} has read, it has: if it is lost or stolen, change what it knew. Programs running on it go on.`

/** Exactly the ways there are (rule ID60): here and now, with a second admin, or by the person key. */
export function removalWords({ name, removal }: Pick<DeviceRow, 'name' | 'removal'>): RemovalWords {
  const { outcome, byRoot, alone, together } = removal
  if (outcome === 'removed' || byRoot) {
    const second = together && together.asked.length > 0 && outcome === 'removed' ? `${listed(together.asked)} asked for this. ` : ''
    const signs = outcome === 'removed' ? '' : 'Your person key signs this, since it lies on this device. '
    return { body: `${second}${signs}${WHAT_HAPPENS(name)}`, press: 'Remove', isOnlyAsking: false }
  }
  const elsewhere = ['where your person key is', ...(alone.length > 0 ? [`on ${listed(alone, 'or')}`] : [])].join(', or ')
  if (outcome === 'asked' && together) {
    const others = together.open.length > 0 ? ` (${listed(together.open, 'or')} can)` : ''
    return {
      body: `${name} was made an admin before this device, so it takes your person key or two admins. Asking here does half of it: a second admin must remove it, too${others}. Or remove it ${elsewhere}. ${WHAT_HAPPENS(name)}`,
      press: 'Ask to remove it',
      isOnlyAsking: true,
    }
  }
  return { body: `This device may not remove ${name}. Do it ${elsewhere}.`, isOnlyAsking: false }
}

function listed(names: readonly string[], joint: 'and' | 'or' = 'and'): string {
  if (names.length < 2) return names[0] ?? ''
  return `${names.slice(0, -1).join(', ')} ${joint} ${names.at(-1)}`
}
