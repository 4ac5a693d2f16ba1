package blitz

import "maps"

// registerServices adds what this package offers itself.
func (s *Server) registerServices() {
	for _, svc := range []struct {
		iface, getter string
		methods       Methods
	}{
		{"IQuery", "getQueryService", queryMethods},
		{"IUpdate", "getUpdateService", updateMethods},
		{"IAdmin", "getAdminService", adminMethods.with(adminWriteMethods)},
		{"IConfig", "getConfigService", configMethods},
		{"ISession", "getSessionService", sessionMethods},
		{"ITypes", "getTypesService", typesMethods},
		{"IContainer", "getContainerService", containerMethods},
		{"IMetadata", "getMetadataService", metadataMethods},
		{"IPixels", "getPixelsService", pixelsMethods.with(pixelsWriteMethods)},
		{"IRoi", "getRoiService", roiMethods},
	} {
		s.Register(Service{
			Interface: "::omero::api::" + svc.iface, Name: "omero.api." + svc.iface, Getter: svc.getter,
			New: func(*Call) (Servant, error) { return svc.methods, nil },
		})
	}
	s.Register(Service{
		Interface: "::omero::api::Search", Name: "omero.api.Search", Getter: "createSearchService", Stateful: true,
		New: func(*Call) (Servant, error) { return newSearch(), nil },
	})
	s.HandleRequests("::omero::cmd::Delete2", deleteRequest)
	s.HandleRequests("::omero::cmd::Chgrp2", chgrpRequest)
	s.HandleRequests("::omero::cmd::Chown2", chownRequest)
	s.HandleRequests("::omero::cmd::Chmod2", chmodRequest)
	s.HandleRequests("::omero::cmd::SkipHead", skipHead)
	s.HandleRequests("::omero::cmd::FindChildren", findChildren)
	s.HandleRequests("::omero::cmd::FindParents", findParents)
	s.HandleRequests("::omero::cmd::DiskUsage2", diskUsage)
	s.HandleRequests("::omero::cmd::CurrentSessionsRequest", currentSessions)
	s.HandleRequests("::omero::cmd::DoAll", doAll)
	s.HandleRequests("::omero::cmd::UpdateSessionTimeoutRequest", sessionTimeoutRequest)
	s.HandleRequests("::omero::api::Save", saveRequest)
}

// with returns the operations of both tables.
func (m Methods) with(more Methods) Methods {
	all := maps.Clone(m)
	maps.Copy(all, more)
	return all
}
