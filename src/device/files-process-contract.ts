import { datasetContract } from '../files/dataset-contract.ts'
import { datasetKeysContract } from '../files/dataset-keys-contract.ts'
import { homeFilesContract } from '../files/home-files-contract.ts'
import { mountContract } from '../files/mount-contract.ts'

/** What the files process serves on its 0600 socket: the home folder, datasets, and their keys from the device process. */
export const filesProcessContract = { ...homeFilesContract, ...datasetContract, ...mountContract, ...datasetKeysContract }
