import Hummingbird
import ServiceLifecycle
import TOMLKit
