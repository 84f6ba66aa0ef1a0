import { create } from 'zustand'
import type { DeviceSettings } from '../../device/desk/desk-contract.ts'

/** What belongs to this machine, as last read or written by this display: pages show it, the desk goes by it at once. */
export const useMachineSettings = create<{ readonly settings: DeviceSettings | undefined }>(() => ({ settings: undefined }))

export const setMachineSettings = (settings: DeviceSettings | undefined): void => useMachineSettings.setState({ settings })
