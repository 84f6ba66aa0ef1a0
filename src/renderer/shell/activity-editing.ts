import { create } from 'zustand'
import type { ActivityId } from '../../session/session-ids.ts'

/** The activity whose name is being typed on this display. */
export const useActivityEditing = create<{ readonly renaming: ActivityId | undefined }>(() => ({ renaming: undefined }))
