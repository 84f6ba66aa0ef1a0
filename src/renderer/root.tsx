import { Suspense, useEffect, useRef } from 'react'
import { useDesk } from './desk/desk-store.ts'
import type { DeviceConnection } from './desk/device-connection.ts'
import { useDoor } from './desk/door-store.ts'
import { DeviceAway } from './screens/device-away.tsx'
import { FirstRun } from './screens/first-run.tsx'
import { LockScreen } from './screens/lock-screen.tsx'
import { MenuHost } from './ui/menu.tsx'
import { prepared } from './ui/prepared.tsx'
import { TipLayer } from './ui/tip-layer.tsx'
import { ToastHost } from './ui/toast.tsx'

const loadDesk = () => import('./shell/desk.tsx')
const desk = prepared(loadDesk)
const loadApps = () => import('./apps/app-registry.ts').then(({ preloadApps }) => preloadApps())

/** What the door says, as a screen; and the layers that are there once for the whole page. */
export function Root({ connection }: { connection: DeviceConnection }) {
  return (
    <>
      <Screen connection={connection} />
      <MenuHost />
      <ToastHost />
      <TipLayer />
    </>
  )
}

/** Between two keys of a passphrase rather than under one. */
const untilIdle = () => new Promise<void>((resolve) => requestIdleCallback(() => resolve(), { timeout: 1_000 }))

/** Set once a desk was open in this page: from then on a lock means a fresh page. */
let deskWasOpen = false

function Screen({ connection }: { connection: DeviceConnection }) {
  const door = useDoor((state) => state.door)
  const client = useDoor((state) => state.client)
  const link = useDoor((state) => state.link)
  const phase = door?.phase
  const unsent = useDesk((state) => state.unsent)

  const warm = useRef(false)

  useEffect(() => {
    // Fetched while the person types: after the unlock nothing stands between the passphrase and the desk.
    if (!phase || phase === 'unlocked') return
    const prepare = async () => {
      await desk.prepare()
      if (phase !== 'first-run') (await loadDesk()).sessionOfPage() // before that the display has no name yet
      await loadApps()
      if (phase === 'first-run') return // the whole of Home is one window
      // Once: a sealed device is only locked for a moment while it opens, and that moment is the person's.
      if (warm.current) return
      warm.current = true
      const { warmDesk } = await import('./shell/warm-desk.tsx')
      await untilIdle()
      // Whoever is already unlocking is not kept waiting for it.
      if (useDoor.getState().door?.phase === phase) warmDesk()
    }
    void prepare()
  }, [phase])
  useEffect(() => {
    if (phase === 'unlocked') deskWasOpen = true
    // Locked or handed over: nothing of the desk stays in memory. Except what no device has yet, after a restart of it.
    else if (deskWasOpen && phase && !(unsent && !door?.handedOverTo)) location.reload()
  }, [phase, unsent, door?.handedOverTo])

  if (!door) return link === 'away' ? <DeviceAway onRetry={() => connection.connect()} /> : <div className="screen" />
  if (door.phase === 'unlocked') {
    return (
      <Suspense fallback={<div className="screen" />}>
        <desk.Component />
      </Suspense>
    )
  }
  return door.phase === 'first-run' ? <FirstRun door={door} client={client} /> : <LockScreen door={door} client={client} kept={unsent} />
}
