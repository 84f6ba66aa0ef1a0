import { useEffect } from 'react'
import { useDoor } from '../desk/door-store.ts'
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

/** Locks this display when nobody has touched it for as long as this machine's settings say. One timer, no ticking. */
export function useAutoLock(): void {
  const client = useDoor((state) => state.client)
  useEffect(() => {
    if (!client) return
    const stop = new AbortController()
    let timer = 0
    let lastInputMs = Date.now()
    const touched = () => {
      lastInputMs = Date.now()
    }
    const wait = (limitMs: number) => {
      const leftMs = lastInputMs + limitMs - Date.now()
      if (leftMs <= 0) return void lockDisplay()
      timer = window.setTimeout(() => wait(limitMs), leftMs + 50)
    }
    client.readSettings({}, { signal: stop.signal }).then(
      ({ autoLockMinutes }) => autoLockMinutes > 0 && wait(autoLockMinutes * MINUTE_MS),
      () => {}, // gone before it answered; asked again with the next connection
    )
    const stopListening = listen(touched)
    return () => {
      stop.abort()
      clearTimeout(timer)
      stopListening()
    }
  }, [client])
}

function listen(handle: () => void): () => void {
  const listening = new AbortController()
  for (const type of INPUT) addEventListener(type, handle, { capture: true, passive: true, signal: listening.signal })
  return () => listening.abort()
}
