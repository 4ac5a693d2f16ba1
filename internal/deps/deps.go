// Package deps holds the module requirements while the packages that use them are being written.
package deps

import (
	_ "github.com/cyverse/go-irodsclient/config"
	_ "github.com/cyverse/go-irodsclient/irods/common"
	_ "github.com/cyverse/go-irodsclient/irods/connection"
	_ "github.com/cyverse/go-irodsclient/irods/fs"
	_ "github.com/cyverse/go-irodsclient/irods/message"
	_ "github.com/cyverse/go-irodsclient/irods/types"
	_ "github.com/cyverse/go-irodsclient/irods/util"
	_ "github.com/hanwen/go-fuse/v2/fs"
	_ "github.com/hanwen/go-fuse/v2/fuse"
	_ "github.com/hanwen/go-fuse/v2/posixtest"
	_ "github.com/sirupsen/logrus"
	_ "github.com/spf13/pflag"
	_ "go.yaml.in/yaml/v3"
	_ "golang.org/x/image/draw"
	_ "golang.org/x/image/font/basicfont"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/sync/semaphore"
	_ "golang.org/x/sync/singleflight"
	_ "golang.org/x/sys/unix"
	_ "modernc.org/sqlite"
)
