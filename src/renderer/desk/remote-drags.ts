import { create } from 'zustand'
import type { WindowId } from '../../session/session-ids.ts'
import type { PixelRect } from '../../session/snap-zone.ts'

/** Windows that other displays drag at this moment, where they have them. */
export const useRemoteDrags = create<{ readonly drags: ReadonlyMap<WindowId, PixelRect> }>(() => ({ drags: new Map() }))
