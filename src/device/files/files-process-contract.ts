import { bucketProcessContract } from '../../files/bucket/bucket-contract.ts'
import { datasetContract } from '../../files/dataset-contract.ts'
import { datasetKeysContract } from '../../files/dataset-keys-contract.ts'
import { homeFilesContract } from '../../files/home-files-contract.ts'
import { mountContract } from '../../files/mount-contract.ts'
import { workContract } from '../../files/work-contract.ts'

/** What the files process serves on its 0600 socket: the home folder, datasets and work on copies of their files, and keys from the device process. */
export const filesProcessContract = {
  ...homeFilesContract,
  ...datasetContract,
  ...mountContract,
  ...datasetKeysContract,
  ...workContract,
  ...bucketProcessContract,
}
