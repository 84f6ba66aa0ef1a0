import { clientNow } from '../desk/app-desk.ts'
import { useDesk } from '../desk/desk-store.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { setShell } from '../desk/shell-store.ts'
import { errorWords } from '../ui/error-words.ts'
import { showToast } from '../ui/toast.tsx'
import { showTerminal } from './show-terminal.ts'
import { clearPlan, useRunPlan } from './run-plan.ts'

const SIZE = { columns: 100, rows: 30 }

/** Starts the planned command in a terminal on a device, and shows it. There it finds that device's own files. */
export async function runPlanOn(device: string): Promise<void> {
  const { line, folder } = useRunPlan.getState()
  const command = line.trim()
  if (command === '') return
  const here = device === useDesk.getState().deviceId
  try {
    const started = await clientNow().openTerminal({
      device,
      command: ['/bin/sh', '-c', command],
      ...(here && folder !== undefined && { cwd: folder }),
      ...SIZE,
    })
    clearPlan()
    setShell({ elsewhereOpen: false })
    showTerminal(started)
  } catch (error) {
    showToast({
      severity: 'error',
      title: `It could not be started on ${deviceNameOf(useDevices.getState().rows, device)}`,
      body: errorWords(error),
    })
  }
}
