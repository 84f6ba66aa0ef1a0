import { bucketContract } from '../files/bucket/bucket-contract.ts'
import { datasetContract } from '../files/dataset-contract.ts'
import { datasetListContract } from '../files/dataset-list-contract.ts'
import { mountContract } from '../files/mount-contract.ts'
import { homeFilesContract } from '../files/home-files-contract.ts'
import { behavioursContract } from '../jobs/behaviours-contract.ts'
import { guestJobsContract } from '../jobs/guest-jobs-contract.ts'
import { jobsContract } from '../jobs/jobs-contract.ts'
import { enginesContract } from '../jobs/engines/engines-contract.ts'
import { workflowContract } from '../jobs/workflow/workflow-contract.ts'
import { placementContract } from '../jobs/placement-contract.ts'
import { tasksContract, terminalContract } from '../jobs/terminal-contract.ts'
import { contactsContract } from '../identity/contacts-contract.ts'
import { grantsContract } from '../identity/grants-contract.ts'
import { releasesContract } from '../identity/releases-contract.ts'
import { anchorContract, ledgerContract } from '../identity/ledger-contract.ts'
import { walletContract } from '../identity/wallet-contract.ts'
import { linksContract } from '../sync/links-contract.ts'
import { deskContract, doorContract } from './desk/desk-contract.ts'
import { fileViewContract } from './files/file-view-contract.ts'
import { lastTextContract } from './files/last-text-contract.ts'
import { programIdContract } from './trust/program-id-contract.ts'
import { passkeyContract } from './trust/passkey-contract.ts'
import { recoveryContract } from './trust/recovery-contract.ts'
import { walletSignInContract } from './trust/wallet-sign-in-contract.ts'

/** Everything a display may ask of its device, over one connection. */
export const displayContract = {
  ...doorContract,
  ...deskContract,
  ...recoveryContract,
  ...passkeyContract,
  ...walletSignInContract,
  ...linksContract,
  ...contactsContract,
  ...grantsContract,
  ...releasesContract,
  ...ledgerContract,
  ...anchorContract,
  ...walletContract,
  ...terminalContract,
  ...tasksContract,
  ...placementContract,
  ...jobsContract,
  ...guestJobsContract,
  ...behavioursContract,
  ...workflowContract,
  ...enginesContract,
  ...homeFilesContract,
  ...lastTextContract,
  ...fileViewContract,
  ...programIdContract,
  ...datasetContract,
  ...datasetListContract,
  ...bucketContract,
  ...mountContract,
}
export type DisplayContract = typeof displayContract
