package irodsd

import (
	"sort"

	"omerods/internal/sandbox/irodsd/catalog"
)

// descriptorInfo is API 20000.
func (s *session) descriptorInfo(req *request) (*reply, error) {
	var in struct {
		FD int64 `json:"fd"`
	}
	if err := decodeJSON(req.in, &in); err != nil {
		return nil, err
	}
	d, err := s.descriptor(in.FD)
	if err != nil {
		return nil, err
	}
	return s.jsonReply(s.info(d))
}

// replicaOpen is API 20003: an open that answers the descriptor's description
// too.
func (s *session) replicaOpen(req *request) (*reply, error) {
	d, err := s.openObject(req, req.in.Str("objPath"), int(req.in.Int("openFlags")))
	if err != nil {
		return nil, err
	}
	rep, err := s.jsonReply(s.info(d))
	if err != nil {
		return nil, err
	}
	rep.info = int32(d.fd)
	return rep, nil
}

// info describes a descriptor as the real server does, as far as it applies.
func (s *session) info(d *descriptor) map[string]any {
	r := d.replica
	openType, token := 2, ""
	if d.writing != nil {
		token = d.writing.token
		openType = 3
		if len(d.writing.before) == 0 {
			openType = 1
		}
	}
	object := map[string]any{
		"access_time": r.Accessed, "checksum": r.Checksum, "collection_id": r.CollID, "comments": "",
		"condition_input": []any{}, "data_access": "", "data_access_index": 0, "data_create": r.Created,
		"data_expiry": "00000000000", "data_id": r.ID, "data_map_id": 0, "data_mode": "0",
		"data_modify": r.Modified, "data_owner_name": r.OwnerName, "data_owner_zone": r.OwnerZone,
		"data_size": r.Size, "data_type": r.Type, "destination_resource_name": "", "file_path": r.Path,
		"flags": 0, "in_pdmo": "", "is_replica_current": r.State == catalog.Good, "next": nil,
		"object_path": d.path, "other_flags": 0, "registering_user_id": 0, "replica_number": r.Number,
		"replica_status": r.State, "resource_hierarchy": r.Hier, "resource_id": r.RescID,
		"resource_name": r.Resc, "special_collection": nil, "status_string": "", "sub_path": "",
		"version": "", "write_flag": 0,
	}
	keys := make([]string, 0, len(d.kv))
	for k := range d.kv {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	cond := make([]map[string]string, 0, len(keys))
	for _, k := range keys {
		cond = append(cond, map[string]string{"key": k, "value": d.kv[k]})
	}
	return map[string]any{
		"bytes_written": -1, "checksum": "", "checksum_flag": 0, "copies_needed": 0, "data_object_info": object,
		"data_object_input": map[string]any{
			"condition_input": cond, "create_mode": 0, "data_size": d.expect, "number_of_threads": 0, "object_path": d.path,
			"offset": 0, "open_flags": d.flags, "operation_type": 0, "special_collection": nil,
		},
		"data_object_input_replica_flag": 1, "data_size": r.Size, "file_descriptor": d.fd, "in_pdmo": "",
		"in_use": true, "l3descInx": d.fd, "lock_file_descriptor": 0, "open_type": openType,
		"operation_status": 0, "operation_type": 0, "other_data_object_info": nil, "plugin_data": nil,
		"purge_cache_flag": 0, "remote_l1_descriptor_index": 0, "remote_zone_host": nil,
		"replica_status": r.State, "replica_token": token, "replication_data_object_info": nil,
		"source_l1_descriptor_index": 0, "stage_flag": 0,
	}
}
