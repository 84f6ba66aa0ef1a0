import type { Crypto } from '../../identity/crypto.ts'
import { readProgramRelease } from '../../identity/programs/program-release.ts'
import { ProgramReleases } from '../../identity/programs/program-releases.ts'
import type { releasesContract } from '../../identity/releases-contract.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

/** Releases of programs as displays and the command line see them. @param desk  throws DeviceError `device/locked` */
export function releaseHandlers(crypto: Pick<Crypto, 'verify'>, desk: () => OpenDesk): Handlers<typeof releasesContract> {
  const releases = () => new ProgramReleases(desk().values)
  return {
    listReleases: () => ({ releases: [...releases().all] }),
    addRelease: ({ release }) => {
      releases().add(readProgramRelease(crypto, release))
      return {}
    },
    forgetRelease: (named) => {
      releases().forget(named)
      return {}
    },
  }
}
