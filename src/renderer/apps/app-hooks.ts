import { useEffect, useState, useSyncExternalStore } from 'react'
import type { DeviceRow } from '../../sync/links-contract.ts'
import { type AppStateInput, appState, ELSEWHERE } from '../../session/app-state.ts'
import { useClient } from '../desk/app-desk.ts'
import { dispatch, sessionNow, useDesk } from '../desk/desk-store.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { setShell } from '../desk/shell-store.ts'
import { wantedSize } from './app-size.ts'

/* What apps ask again and again: who is there, opening other apps, and time. */

/** Id of the device this display belongs to. */
export const useOwnDevice = (): string => useDesk((desk) => desk.deviceId)

/** One device, if it is known. */
export const useDeviceRow = (deviceId: string): DeviceRow | undefined =>
  useDevices(({ rows }) => rows.find((row) => row.deviceId === deviceId))

/** What to call a device. */
export const useDeviceName = (deviceId: string): string => useDevices((devices) => deviceNameOf(devices, deviceId))

/** As `useDeviceName`, for handlers. */
export const deviceNameNow = (deviceId: string): string => deviceNameOf(useDevices.getState(), deviceId)

/** Can calls for this device be expected to arrive? This display's own device, and the datasets it has, are there whenever there is a client. */
export function useDeviceReachable(deviceId: string): boolean {
  const client = useClient()
  const own = useOwnDevice()
  const row = useDeviceRow(deviceId)
  const isContactHere = useDevices(({ contactDevices }) => contactDevices[deviceId]?.isLinked === true)
  const isHere = row?.state === 'linked' || row?.state === 'self' || isContactHere
  return client !== undefined && (deviceId === own || deviceId === ELSEWHERE || isHere)
}

const SINGLE: ReadonlySet<string> = new Set(['devices', 'settings', 'jobs', 'tasks', 'welcome'])

/** Opens an app in a window of its own; one that exists once comes to the front with the given state instead. */
export function openApp(app: AppStateInput): void {
  setShell({ compactView: 'window' }) // on a small screen, whatever list was shown
  const open = SINGLE.has(app.kind) && Object.values(sessionNow().tabs).find((tab) => tab.app.kind === app.kind)
  if (open) {
    dispatch({ type: 'tab/set-state', tabId: open.id, app: appState.parse(app) })
    dispatch({ type: 'tab/activate', tabId: open.id })
    dispatch({ type: 'window/focus', windowId: open.window })
    return
  }
  const size = wantedSize(app.kind, useDesk.getState().desk)
  dispatch({ type: 'window/open', app: appState.parse(app), ...(size && { size }) })
}

/** Opens an app as a tab beside this one. */
export function openTab(windowId: string, app: AppStateInput): void {
  const window = Object.values(sessionNow().windows).find((one) => one.id === windowId)
  if (window) dispatch({ type: 'tab/open', windowId: window.id, app: appState.parse(app) })
  else openApp(app)
}

/** Closes a tab; it can be reopened. */
export function closeTab(tabId: string): void {
  const tab = Object.values(sessionNow().tabs).find((one) => one.id === tabId)
  if (tab) dispatch({ type: 'tab/close', tabId: tab.id })
}

/** True once something has taken longer than a moment: the time to show a skeleton. 300 ms, as the look says. */
export function useIsLate(waiting: boolean, afterMs = 300): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    if (!waiting) return
    const timer = setTimeout(() => setLate(true), afterMs)
    return () => {
      clearTimeout(timer)
      setLate(false)
    }
  }, [waiting, afterMs])
  return waiting && late
}

/** The time now, renewed every `periodMs` while mounted; for "4 min ago". At least a second. */
export function useNow(periodMs = 15_000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), Math.max(1_000, periodMs))
    return () => clearInterval(timer)
  }, [periodMs])
  return now
}

const COARSE = '(pointer: coarse)'
const onCoarse = (changed: () => void) => {
  const query = matchMedia(COARSE)
  query.addEventListener('change', changed)
  return () => query.removeEventListener('change', changed)
}

/** Is this display used by fingers? What is pressed is larger then. */
export const useCoarse = (): boolean => useSyncExternalStore(onCoarse, () => matchMedia(COARSE).matches)
