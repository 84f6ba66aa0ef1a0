import { type DevicesView, setShell, useShell } from '../../desk/shell-store.ts'
import { openApp } from '../app-hooks.ts'

/** Opens Devices, or brings it to the front, at one of its pages or at one device with its details. */
export function showDevices({ page, device }: { page: DevicesView['page']; device?: string }): void {
  setShell({ devicesView: { page, device, asked: useShell.getState().devicesView.asked + 1 } })
  openApp({ kind: 'devices' })
}
