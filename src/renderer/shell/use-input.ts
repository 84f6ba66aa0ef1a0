import { useEffect } from 'react'
import { systemClock } from '../../base/clock.ts'
import { AutoLock } from '../desk/auto-lock.ts'
import { useDoor } from '../desk/door-store.ts'
import { setMachineSettings, useMachineSettings } from '../desk/settings-store.ts'
import { lockDisplay } from './commands.ts'

/** The device is told of input at most this often; its rule for late claims looks back 30 s. */
const REPORT_MS = 2_000
const MINUTE_MS = 60_000
const INPUT = ['pointerdown', 'keydown', 'wheel'] as const

/** Tells the device that somebody is at this display. */
export function useInputReports(): void {
  const client = useDoor((state) => state.client)
  useEffect(() => {
    if (!client) return
    let lastMs = 0
    const report = () => {
      const now = performance.now()
      if (now - lastMs < REPORT_MS) return
      lastMs = now
      client.reportInput({}).catch(() => {
        lastMs = 0 // the connection broke: the next input reports again
      })
    }
    return listen(report)
  }, [client])
}

/** Locks this display when nobody has touched it for as long as this machine's settings say, also while the device does not answer. */
export function useAutoLock(): void {
  const client = useDoor((state) => state.client)
  useEffect(() => {
    if (!client) return
    const stop = new AbortController()
    client.readSettings({}, { signal: stop.signal }).then(setMachineSettings, () => {}) // gone before it answered; asked again with the next connection
    return () => stop.abort()
  }, [client])
  useEffect(() => {
    const autoLock = new AutoLock(systemClock, lockDisplay)
    const follow = () => autoLock.setLimit((useMachineSettings.getState().settings?.autoLockMinutes ?? 0) * MINUTE_MS)
    follow()
    const unsubscribe = useMachineSettings.subscribe(follow)
    const stopListening = listen(() => autoLock.touch())
    return () => {
      unsubscribe()
      stopListening()
      autoLock.dispose()
    }
  }, [])
}

function listen(handle: () => void): () => void {
  const listening = new AbortController()
  for (const type of INPUT) addEventListener(type, handle, { capture: true, passive: true, signal: listening.signal })
  return () => listening.abort()
}
