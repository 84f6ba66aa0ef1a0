import { memo } from 'react'
import type { WindowId } from '../../session/session-ids.ts'
import { appDevice, ELSEWHERE } from '../../session/app-state.ts'
import { useDesk, useSession } from '../desk/desk-store.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { Dot } from '../ui/dot.tsx'
import { openMenu } from '../ui/menu.tsx'
import { elsewhereEntry } from './window-menus.tsx'

const STATE_WORDS = { self: 'this device', linked: 'linked', connecting: 'connecting', away: 'away' } as const

/** Where the thing in front really runs or lies. Pressing it offers the other devices. */
export const DeviceBadge = memo(function DeviceBadge({ windowId }: { windowId: WindowId }) {
  const tabId = useSession((session) => session.windows[windowId]?.activeTab)
  const device = useSession((session) => {
    const app = tabId && session.tabs[tabId]?.app
    return app ? appDevice(app) : null
  })
  const own = useDesk((state) => state.deviceId)
  const name = useDevices((state) => (device ? deviceNameOf(state, device) : ''))
  const state = useDevices(({ rows, contactDevices }) => {
    const known = rows.find((row) => row.deviceId === device)?.state
    return known ?? (device === own ? 'self' : device && contactDevices[device]?.isLinked ? 'linked' : 'away')
  })
  const isElsewhere = useSession((session) => {
    const app = tabId && session.tabs[tabId]?.app
    return app !== undefined && 'device' in app && app.device === ELSEWHERE
  })
  if (isElsewhere) {
    return (
      <span className="device-badge" data-tip="The same on all your devices">
        Elsewhere
      </span>
    )
  }
  if (!device || !tabId) return null
  const meaning = state === 'away' ? 'lost' : state === 'connecting' ? 'moving' : 'safe'
  return (
    <button
      type="button"
      className="device-badge"
      data-elsewhere={device !== own || undefined}
      data-tip={`On ${name} (${STATE_WORDS[state]})`}
      aria-label={`On ${name}, ${STATE_WORDS[state]}`}
      aria-haspopup="menu"
      onPointerDown={(event) => event.stopPropagation()}
      onDoubleClick={(event) => event.stopPropagation()}
      onClick={(event) =>
        openMenu(event.currentTarget, `On ${name}`, [{ heading: `On ${name}, ${STATE_WORDS[state]}` }, elsewhereEntry(tabId)], {
          align: 'end',
        })
      }
    >
      {name}
      <Dot meaning={meaning} hollow={state === 'away'} />
    </button>
  )
})
