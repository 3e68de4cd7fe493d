import AsyncHTTPClient
import JWTKit
import CryptoExtras
