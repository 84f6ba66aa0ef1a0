import { dispatch } from '../desk/desk-store.ts'
import { type DeskMessage, dropMessage, readIdOf } from '../desk/messages-store.ts'
import { openJob } from '../apps/jobs/job-actions.ts'
import { showWorkflow } from '../apps/jobs/workflow-actions.ts'
import { showDevices } from '../apps/devices/show-devices.ts'

/* What a person does with a message, in the list or where it is said (rule AP77). */

/** It has been read: that follows to the other displays. */
export const markRead = (message: DeskMessage): void => void dispatch({ type: 'notifications/read', ids: [readIdOf(message)] })

/** Read, and no longer listed here. */
export function putAway(message: DeskMessage): void {
  markRead(message)
  dropMessage(message)
}

/** Read, and what it is about comes before the eyes, if there is anything to show. */
export function showAbout(message: DeskMessage): void {
  markRead(message)
  const { about } = message
  switch (about?.kind) {
    case 'job':
      return openJob(about.job)
    case 'workflow':
      return showWorkflow(about.workflow)
    case 'guest-jobs':
      return openJob(null)
    case 'contacts':
      return showDevices({ page: 'contacts' })
  }
}
