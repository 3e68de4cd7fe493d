import BoxEvents

/// A key pair made for the simulator and used nowhere else: it protects nothing.
///
/// Encrypted as Box's developer console does it: PKCS #8, PBES2 with AES-256 and HMAC-SHA256.
package enum SimulatorKey {
  package static let publicKeyID = "simkey01"
  package static let passphrase = "simulator"

  package static let encryptedPrivateKey = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIIFHTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIcr50scRuTAsCAggA
    MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBAcMHQb+klRqtArhmLq79L9BIIE
    wPzz8yAUMyXroHHAMyXfVNd8gSg1ycSf50lGPeLT2PJ9HMrvLfP+vEvPLpyLJNas
    O1ffdFbAfV4QcY7ITKsJLSEghSWC+OttPjQNByOE+9BdpRmallDuWxYnDFVMlqLO
    jO0j2tCYH0JodV5D1WAc7/+dxkQ36lnBkkXzdfZufkVwEXuR3JKPhnXS75cHMIF5
    WLscTZhVAM/Z2FplAp4L46YptTphO2mcUSOm9Ntx5avLm+xg/7FdXmrZMGqDholW
    vumdPvJyiDYxq5Caq6TofvGbIcMT3M9qjImURzn6k3Fdodj4EguBfV9mkbioacD3
    RfLt9s9y9WCN3pZ81kKMWDDi2VNyIjRQx8ZOzvtF5UUa3olCnxG37FxrG+GpnTeP
    8CI0fB4q5lDdnKgMxASPIvCpxpeNbdAyxpH3tzx6xq6qNIek9Tg3ZJsL/esfOqzi
    VFDc/eHmgQ06q96pkKwD2RDtNbUQngL+tPzF0G9xpBHuaqWIQwmZNAFkGJnI4GRI
    V0vkiaywo90KojJb/lKNDqz6KJsZ3PPnqVyON0E/zaE0x4pfualHxPPzMdgYmv/N
    fGQMRATt0L9HFOvzdzHkR6B8t/hjWfdQIxRYLRdCf0NZnS6b+ePBQN3GMwpGbTqG
    1hrn8WSfPFRuKdFP11QhiEvWLx1P3u1q+a1Ld7UlOd0jnwNQDJVi09Vhf1A0aSR3
    BFot02ipxt7b2XeSlB0stBtr6dhq0IBAUPUf4iS+FJ6HpVA9SBvWoFJ+2kM/5OiA
    cUiMBs9U/sjUyGeQsvYMduY4tJnyS629yWHxPDD5uUKVRJMlWLayyLsj+NV9TUy3
    SBM9yX1Yfgt0IeA4i94hg2rfB1UgoYV/MYeWgtivQ9RenPfuoIDzboI0nI/lZsRl
    Xe9vf1LDA8tMEaGCrim9tPoAn40RkCpiy/Nd4lo9vepU4r4ZWoSpWCPBycFuMvoW
    SKDhm7lQjRaOTG1pyUP3NnOo38cNDYiO8DVJJyawFJ15BRXIObqURwSAcsEAryLZ
    wbaFxQNYvRsqWrc1Zq44pSBMwxMtr5okJr+xNuKZ1Od6VcYHcKwdJkqQHVKpbFlj
    oHMZL3OpLThdizB5/vOoqGh6jdLTLpRq91rJyqand9qeXmT7L2LjbsXihJNgtmRj
    Y8CQpnZRa7i71Yw8tSI8KKWxJAXa/biwImaymy6XqymQDv2uszHzWtlgSneB9xX+
    SuSHFKDl2V5y8kvCuxpLgHYUfsjKmxfHPSg1amYuS2QtdUT3h4ZTU0JVyeblaxJJ
    UjGcsNWachhzKEV3IKx8JqEHtrLQZDTfXjRYaimrJLB5plQRkOaei41tQlweZcgA
    kIT1/s/j5s3gCsdgioxHDd4bWiw7iHn2MDHZtj6MsB0Q5oqDrvEYUlQwMt8CR78r
    2e2HW+2rlWQOkGtYE58vLs7ca9PVFzTDOR5GKLPk94kaDgC3zGJdaZ4yf8gQIf0N
    VQ2mzhO41h4FjQKDOjPL2K4YenEClq/BANueuW3XEbrjMw8n7GvpeF5xdHjcjyfV
    peNXok5JJ8Q9+x4XBqHPH3edDjSO5GfP2ltiIJPgXjZ6oARzY0nvSnYauXd9OoLn
    aBPiTmibNcxBYKRr/apbYcM=
    -----END ENCRYPTED PRIVATE KEY-----
    """

  package static let publicKey = """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1PvCPuVw+BNRd6M7xIcr
    6Pa8OoTqh4ulYQL8AOXUll5rZHA45zp7JXrV2mbTjguryZJg7ketb6gMuLgnraJw
    gnjsbokLk262tkoeHrCahVCpaQLA7M+D3clZsAaDYljJkiJK7eSEXsDTeL8l/BVN
    /bwNaEOqHadsdta7mX9KV7jm+ouNGqNcL9XCAlbgrj60dJubfqqn69ZGCFb8MYAC
    1CUzqPaRwytqNHMN0lvd9eCRj82c6tz3rXphShSvl5ibi93g79Q77v2zFVj7dsM4
    IL0LvwNrirk6/QwFeREW/HMayXHuo9i3DvFpcqN2cLH3gGUQWBx50f9h49WBlsnm
    ywIDAQAB
    -----END PUBLIC KEY-----
    """
}

extension SimulatorOptions.Credentials {
  /// A settings file as Box's developer console creates it, with the built-in key.
  package var jwtSettings: String {
    let quoted = JSONObjectWriter.quoted
    return """
      {
        "boxAppSettings": {
          "clientID": \(quoted(clientID)),
          "clientSecret": \(quoted(clientSecret)),
          "appAuth": {
            "publicKeyID": \(quoted(SimulatorKey.publicKeyID)),
            "privateKey": "\(SimulatorKey.encryptedPrivateKey.replacing("\n", with: "\\n"))\\n",
            "passphrase": \(quoted(SimulatorKey.passphrase))
          }
        },
        "enterpriseID": \(quoted(enterpriseID))
      }

      """
  }
}
