import './no-eval.ts'
import '@fontsource-variable/inter'
import '@fontsource-variable/jetbrains-mono'
import './theme/theme.css'
import './screens/screen.css'
import { createRoot } from 'react-dom/client'
import { systemClock } from '../base/clock.ts'
import { DeviceConnection, deviceSocketUrl } from './desk/device-connection.ts'
import { followDoor } from './desk/door-store.ts'
import { refuseStrayFiles } from './native/stray-files.ts'
import { Root } from './root.tsx'
import { followSystemLook } from './theme/look.ts'

performance.mark('elsewhere:start')
const connection = new DeviceConnection(deviceSocketUrl(location), systemClock)
followDoor(connection)
followSystemLook()
refuseStrayFiles()
const host = document.getElementById('root')
if (!host) throw new Error('index.html has no #root')
createRoot(host).render(<Root connection={connection} />)
