import type { AppKind } from '../../session/app-state.ts'
import type { DeskSize } from '../../session/display-class.ts'

/**
 * CSS px a new window asks for, with its title bar: lists and settings are read at their own width, and a window around
 * nothing looks unfinished. What is not here takes the comfortable share of the desk.
 */
const SIZES: Readonly<Partial<Record<AppKind, { readonly width: number; readonly height: number }>>> = {
  devices: { width: 720, height: 560 },
  settings: { width: 840, height: 620 },
  jobs: { width: 960, height: 620 },
  tasks: { width: 880, height: 580 },
  files: { width: 880, height: 560 },
}

/** The size a new window of an app asks for on this desk; undefined: the usual one. Never more than nine tenths of the desk. */
export function wantedSize(kind: AppKind, desk: DeskSize): { readonly width: number; readonly height: number } | undefined {
  const size = SIZES[kind]
  return size && { width: Math.min(size.width, Math.round(desk.width * 0.9)), height: Math.min(size.height, Math.round(desk.height * 0.9)) }
}
